"""Places: unions and branches, employers, workplaces with their areas, shifts and counts."""

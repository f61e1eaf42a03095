"""Lists of people: by a filter, saved with a name and shared."""

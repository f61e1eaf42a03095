"""A private calendar address for one's own dates, with no names in it."""

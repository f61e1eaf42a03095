"""A report of a place for a meeting: on screen, on paper, and as files. Counts, and no names."""

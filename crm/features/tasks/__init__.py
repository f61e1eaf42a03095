"""The page that shows a person how far their long work is, and how it ended."""

"""The wall chart of a workplace: everybody who works there as tiles, and the gaps to close."""

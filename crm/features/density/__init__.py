"""Density by place as at any day: the page, how each figure was worked out, files and print."""

"""Bringing a list in: upload, match its columns, check, import, and undo for 30 days."""

"""Lists that people bring: CSV, spreadsheets and address books, read as plain text cells.

``apart.read_apart`` is the door: it hands the bytes to a process of their own, with limits on
memory and time, and takes back rows of text. Nothing in a file is ever run or worked out.
"""

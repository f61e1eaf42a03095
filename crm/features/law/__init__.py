"""The rules of ballots: every row with its source, and what follows for recognition."""

"""What every screen shares: who is asking, the unit of work, headers, errors, words, filters."""

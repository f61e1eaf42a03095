"""Ballots: planning them, their list of voters, their result and what follows from it."""

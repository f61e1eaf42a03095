"""My people: those whom the reader looks after, and taking people on or letting them go."""

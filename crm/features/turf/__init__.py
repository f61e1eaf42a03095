"""Who has whom: giving people and areas to reps, and what waits for a new rep."""

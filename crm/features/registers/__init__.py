"""Loading public registers and stated counts into the place tree."""

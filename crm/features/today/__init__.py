"""Today: what was promised, whom to speak to, and the week so far. Also Hide and About."""

"""Who listens to whom, who leads, and how far leaders reach."""

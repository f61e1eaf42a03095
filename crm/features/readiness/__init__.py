"""Strike-readiness of a place: gates first, then a range, and what to do next."""

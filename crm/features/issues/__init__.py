"""What matters to people at a place: counts of people, month by month, and their own words."""

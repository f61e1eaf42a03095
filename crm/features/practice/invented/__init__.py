"""The invented world of the practice copy, made in order: places, people, talks."""

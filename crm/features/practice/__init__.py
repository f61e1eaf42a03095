"""The practice copy: invented people, talks and memberships, so that every screen can be tried."""

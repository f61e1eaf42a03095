"""Signing in and out, one's own account, and the users and grants that administrators keep."""

"""Logging a talk, and looking at one."""

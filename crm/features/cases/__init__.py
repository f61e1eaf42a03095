"""Grievances and other cases: read and written by their team alone."""

"""Queries that more than one feature needs. Each runs under a scope."""

"""Measuring Shopfloor: a generator of invented records in three sizes, and the figures of a run.

Start with ``python -m bench --help``; docs/benchmarks.md says what is measured and why.
"""

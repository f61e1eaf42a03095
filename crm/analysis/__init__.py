"""Figures and files at the edge: the only package that may import pandas.

Nothing here knows Flask, SQLAlchemy or the tables. Files come in as streams and leave as frozen
rows; queries hand over values and get frozen results back.
"""

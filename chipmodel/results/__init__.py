"""The results of a solution: accounts, tables, metrics, and results on disk.

Imports `cases` and what is below it.
"""

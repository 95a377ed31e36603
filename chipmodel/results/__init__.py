"""What a solution says: accounts, tables, metrics, and results on disk.

Imports `cases` and what is below it.
"""

"""One case: run, verify, explain, search, and vary its numbers.

Imports `results` and what is below it.
"""

"""The sections of the report that are no question.

Imports `questions`, `validation` and what is below them.
"""

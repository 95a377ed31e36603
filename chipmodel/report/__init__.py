"""The page: it gathers the questions, draws and writes one HTML file.

Imports `questions`, `validation` and what is below them.
"""

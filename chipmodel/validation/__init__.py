"""Published results, replicated with the model and compared.

Imports `studies` and what is below it, never `questions`.
"""

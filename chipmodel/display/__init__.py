"""Tables, figures and text made from results.

Imports `results` and what is below it, never `analysis`.
"""

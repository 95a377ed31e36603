"""The linear program in Pyomo, part by part, and its compilation to arrays.

Imports `model.parameters` and what is below `model`.
"""

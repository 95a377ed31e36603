"""Case files: load, add, compare, check, describe.

Imports `policies` and what is below it.
"""

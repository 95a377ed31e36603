"""Errors, units, text, files, tables, fingerprints and workers: what knows no chips.

Imports nothing of chipmodel.
"""

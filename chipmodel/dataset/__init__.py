"""Sourced numbers: row models, checks, loading, provenance and citation.

Imports `common`.
"""

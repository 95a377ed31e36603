"""Many cases: definition, plan, sweep, checkpoint and cache.

Imports `analysis`, `display` and what is below them.
"""

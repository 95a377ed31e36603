"""Why a case has no solution, or what binds in the one it has.

Imports `analysis.run` and what is below `analysis`.
"""

"""Every number of the linear program, computed from data and world.

Imports `model.world` and what is below `model`.
"""

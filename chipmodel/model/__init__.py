"""World, parameters, and the linear program written from them.

Imports `dataset`, `solver` and `common`.
"""

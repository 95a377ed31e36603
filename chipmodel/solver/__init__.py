"""A linear program and HiGHS: arrays, bounds, warm starts, certificates, export.

Imports `common`; it knows neither data nor policies.
"""

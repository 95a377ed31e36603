"""The version of chipmodel."""

__version__ = "0.2.0"

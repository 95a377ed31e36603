"""Patterns of ids."""

from __future__ import annotations

# Narrow, because ids become names of files, and of rows in LP and MPS files.
ID_PATTERN = r"^[a-z][a-z0-9_]{0,40}$"
"""Id of an instrument, case, world, segment, firm or site."""

REGION_PATTERN = r"^[A-Z]{3}$"
"""Id of a region."""

"""Patterns of ids."""

from __future__ import annotations

ID_PATTERN = r"^[a-z][a-z0-9_]{0,40}$"


REGION_PATTERN = r"^[A-Z]{3}$"

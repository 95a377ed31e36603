"""What holds for every linear program solved on paper."""

from __future__ import annotations

import pytest

from chipmodel.model.parameters.parameters import Parameters


@pytest.fixture(autouse=True)
def _no_ties(monkeypatch):
    """Leave out the small costs that break ties between equal routes."""
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)

"""At neutral numbers every mechanism does nothing: tables are those of 0.2.0."""

from __future__ import annotations

import numpy as np
import pandas as pd
from neutral import CASES, STORED, values

KEYS = ["case", "table", "row"]


def test_neutral_numbers_reproduce_the_version_before():
    stored = pd.read_csv(STORED, keep_default_na=False).set_index(KEYS)["value"]
    found = values().set_index(KEYS)["value"]
    assert set(found.index.get_level_values("case")) == set(CASES)
    # A row that is zero may be left out of a table.
    both = pd.concat({"stored": stored, "found": found}, axis=1).fillna(0.0)
    scale = np.maximum(both["stored"].abs(), 1.0)
    off = (both["found"] - both["stored"]).abs() / scale
    assert off.max() <= 1e-9, both[off > 1e-9].to_string()

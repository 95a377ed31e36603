"""Pyomo's compiler to arrays, with slots where polynomials are to be filled in.

A module of its own, because it loads Pyomo.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from pyomo.repn.plugins.standard_form import (
    LinearStandardFormCompiler,
    _LinearStandardFormCompiler_impl,
)
from scipy import sparse

from chipmodel.solver.linear_program import Vector
from chipmodel.solver.polynomials import Polynomial


def filled(values: Any, slots: Sequence[int], placeholder: float) -> Vector:
    """Return values as floats, with a placeholder at the slots of polynomials."""
    plain = list(values)
    for slot in slots:
        plain[slot] = placeholder
    return np.array(plain, dtype=float)


class ParametricCompiler(_LinearStandardFormCompiler_impl):  # type: ignore[misc]
    """Pyomo's compiler, which also collects polynomials and their places.

    Plain zeros drop out, as they do in Pyomo's own compiler.
    """

    def __init__(self) -> None:
        super().__init__(LinearStandardFormCompiler.CONFIG({"mixed_form": True}))
        self.slots: list[list[tuple[int, Polynomial]]] = []

    def _create_csc(
        self, data: Any, index: Any, index_ptr: Any, nnz: int, n_cols: int
    ) -> Any:
        values = list(chain.from_iterable(data))
        lifted = [k for k, entry in enumerate(values) if isinstance(entry, Polynomial)]
        # Ones in place of polynomials, so that none is dropped as a zero.
        plain = filled(values, lifted, 1.0)
        columns = np.fromiter(chain.from_iterable(index), np.int32, nnz)
        shape = (len(index_ptr) - 1, n_cols)
        rows = (np.arange(nnz), columns, np.array(index_ptr))
        order = sparse.csr_matrix(rows, shape).tocsc()
        remains = plain[order.data] != 0.0
        start = np.concatenate(([0], np.cumsum(remains)))[order.indptr]
        place = order.data[remains]
        is_lifted = set(lifted)
        slots = []
        for slot, entry in enumerate(place.tolist()):
            if entry in is_lifted:
                slots.append((slot, values[entry]))
        self.slots.append(slots)
        columns_of_rows = order.indices[remains]
        return sparse.csc_array((plain[place], columns_of_rows, start), shape=shape)

"""A parametric linear program as bytes: arrays, and labels as JSON.

Nothing that is read is run: neither form can hold code.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.ledger import Line
from chipmodel.solver.linear_program import LinearProgram, ProgramLabels, RowGroup
from chipmodel.solver.parametric import ParametricProgram
from chipmodel.solver.polynomials import Conditions, PolynomialVector

Arrays = dict[str, NDArray[Any]]


def to_bytes(arrays: Arrays, texts: Mapping[str, Any]) -> bytes:
    """Return arrays and plain data as bytes."""
    stream = io.BytesIO()
    text = json.dumps(texts, separators=(",", ":")).encode()
    everything: dict[str, Any] = {"text": np.frombuffer(text, dtype=np.uint8), **arrays}
    np.savez(stream, **everything)
    # Lightly: the file is read more often than the time to shrink it further is worth.
    return zlib.compress(stream.getvalue(), 1)


def from_bytes(content: bytes) -> tuple[Arrays, dict[str, Any]] | None:
    """Return arrays and plain data; None if they cannot be read."""
    try:
        stream = io.BytesIO(zlib.decompress(content))
        with np.load(stream) as stored:
            arrays = dict(stored)
        texts: dict[str, Any] = json.loads(arrays.pop("text").tobytes())
    except (zlib.error, OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return arrays, texts


def tuples(value: Any) -> Any:
    """Return plain data with tuples in place of lists."""
    if isinstance(value, list):
        return tuple(map(tuples, value))
    return value


def arrays_of(template: ParametricProgram) -> Arrays:
    """Return the arrays of a parametric linear program."""
    matrix, rhs, lines = template.base_arrays
    labels = template.labels
    found = {
        "rhs": rhs,
        "is_equation": labels.is_equation,
        "column_keys": labels.column_keys,
        "row_keys": labels.row_keys,
        "owners": labels.owner_codes[1],
        "agents": labels.agent_codes[1],
        "stated_rows": np.array(list(template.stated_amounts), dtype=np.int64),
        "stated_amounts": np.array(list(template.stated_amounts.values()), dtype=float),
    }
    for name, part in (("matrix", matrix), ("lines", lines)):
        found[f"{name}_data"] = part.data
        found[f"{name}_indices"] = part.indices
        found[f"{name}_starts"] = part.indptr
        found[f"{name}_shape"] = np.array(part.shape)
    for name in ("matrix", "rhs", "lines", "stated"):
        found |= _of_vector(f"{name}_slots", getattr(template, name))
    return found


def texts_of(template: ParametricProgram) -> dict[str, Any]:
    """Return the labels of a parametric linear program as plain data."""
    labels = template.labels
    return {
        "row_labels": labels.row_labels,
        "column_labels": labels.column_labels,
        "owners": labels.owner_codes[0],
        "agents": labels.agent_codes[0],
        "lines": [list(asdict(line).values()) for line in labels.lines],
        "groups": [list(asdict(group).values()) for group in labels.groups.values()],
    }


def template_of(arrays: Arrays, texts: Mapping[str, Any]) -> ParametricProgram:
    """Return the parametric linear program of arrays and labels."""
    labels = ProgramLabels(
        row_labels=[(name, tuple(index)) for name, index in texts["row_labels"]],
        column_labels=[(name, tuple(index)) for name, index in texts["column_labels"]],
        is_equation=arrays["is_equation"],
        owners=_named(texts["owners"], arrays["owners"]),
        agents=_named(texts["agents"], arrays["agents"]),
        lines=[Line(*values) for values in texts["lines"]],
        groups={values[0]: RowGroup(*values) for values in texts["groups"]},
    )
    # Known already: to compute them again takes as long as to read the rest.
    vars(labels).update({k: arrays[k] for k in ("column_keys", "row_keys")})
    matrix = sparse.csc_matrix(*_sparse_parts(arrays, "matrix"))
    lines = sparse.csr_matrix(*_sparse_parts(arrays, "lines"))
    rhs = arrays["rhs"]
    rows, amounts = arrays["stated_rows"].tolist(), arrays["stated_amounts"].tolist()
    program = LinearProgram(labels, matrix, rhs, lines, np.ones(lines.shape[0]))
    return ParametricProgram(
        labels,
        SingletonBounds(program),
        (matrix, rhs, lines),
        dict(zip(rows, amounts, strict=True)),
        *(
            _vector(arrays, f"{name}_slots")
            for name in ("matrix", "rhs", "lines", "stated")
        ),
    )


def arrays_of_conditions(conditions: Conditions) -> Arrays:
    """Return conditions as arrays."""
    return {
        **_of_vector("signs", conditions.signs),
        **_of_vector("fixed", conditions.fixed),
        "sign_of_each": conditions.sign_of_each,
        "value_of_each": conditions.value_of_each,
    }


def conditions_of(arrays: Arrays) -> Conditions:
    """Return the conditions that arrays hold."""
    return Conditions(
        _vector(arrays, "signs"),
        arrays["sign_of_each"],
        _vector(arrays, "fixed"),
        arrays["value_of_each"],
    )


def _named(names: Sequence[str], code: NDArray[np.int64]) -> list[str]:
    return [names[k] for k in code.tolist()]


def _sparse_parts(arrays: Arrays, name: str) -> Any:
    """Return data, indices and starts of a sparse matrix, and its shape."""
    parts = tuple(arrays[f"{name}_{part}"] for part in ("data", "indices", "starts"))
    return parts, tuple(arrays[f"{name}_shape"].tolist())


def _of_vector(name: str, vector: PolynomialVector) -> Arrays:
    return {
        f"{name}_places": vector.slots,
        f"{name}_owners": vector.owners,
        f"{name}_factors": vector.factors,
        f"{name}_levers": vector.levers,
    }


def _vector(arrays: Arrays, name: str) -> PolynomialVector:
    parts = ("places", "owners", "factors", "levers")
    return PolynomialVector(*(arrays[f"{name}_{part}"] for part in parts))

"""Measure how dense the code is, beside nine codebases of the field.

The peers' figures are ranges over nine open energy and optimisation packages, measured in the same
way in 2026. They are a thermometer and not a goal: nothing is split or joined to please them.
"""

from __future__ import annotations

import ast
import sys
import tokenize
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent

PEERS = {
    "syntax nodes a code line": "5.8 to 7.9",
    "nested comprehensions in 1,000 lines": "0 to 1",
    "comprehensions in 1,000 lines": "7 to 29",
    "conditional expressions in 1,000 lines": "3 to 14",
    "comment lines, % of code lines": "2 to 7",
    "function length, median": "9 to 13",
    "function length, p90": "near 40",
    "files over 400 lines": "",
}
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def code_lines(path: Path) -> tuple[set[int], set[int]]:
    """Return the numbers of lines that hold code, and of those that hold only a comment."""
    code: set[int] = set()
    comments: set[int] = set()
    ignored = {
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                comments.add(token.start[0])
            elif token.type not in ignored:
                code.update(range(token.start[0], token.end[0] + 1))
    return code, comments


def docstring_lines(tree: ast.AST) -> set[int]:
    """Return the lines of strings that stand by themselves: they are prose."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def measure(folder: Path) -> dict[str, float]:
    """Return the figures of a package."""
    nodes = lines = comments = nested = comprehensions = conditional = long_files = 0
    lengths: list[int] = []
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        code, commented = code_lines(path)
        prose = docstring_lines(tree)
        lines += len(code - prose)
        comments += len(commented)
        long_files += text.count("\n") > 400
        for node in ast.walk(tree):
            if getattr(node, "lineno", None) in prose and isinstance(
                node, ast.Constant | ast.Expr
            ):
                continue
            nodes += 1
            conditional += isinstance(node, ast.IfExp)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = (
                    set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
                    - prose
                )
                lengths.append(len(body & code))
            if isinstance(node, COMPREHENSIONS):
                comprehensions += 1
                inner = [
                    child
                    for child in ast.walk(node)
                    if isinstance(child, COMPREHENSIONS)
                ]
                nested += len(inner) > 1 or len(node.generators) > 1
    return {
        "syntax nodes a code line": nodes / lines,
        "nested comprehensions in 1,000 lines": 1000.0 * nested / lines,
        "comprehensions in 1,000 lines": 1000.0 * comprehensions / lines,
        "conditional expressions in 1,000 lines": 1000.0 * conditional / lines,
        "comment lines, % of code lines": 100.0 * comments / lines,
        "function length, median": median(lengths),
        "function length, p90": quantiles(lengths, n=10)[-1],
        "files over 400 lines": long_files,
    }


def main(arguments: list[str]) -> int:
    """Print the figures of chipmodel, or of a folder, beside those of the peers."""
    folder = Path(arguments[0]) if arguments else ROOT / "chipmodel"
    print(f"| measure | {folder.name} | peers |")
    print("| --- | ---: | ---: |")
    for name, value in measure(folder).items():
        print(f"| {name} | {value:.1f} | {PEERS[name]} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Measure how dense the code is, beside nine codebases of the field.

The peers' figures are ranges over nine open energy and optimisation packages, measured
in the same way in 2026. They are a thermometer and not a goal: nothing is split or
joined to please them.
"""

from __future__ import annotations

import ast
import sys
import tokenize
from collections import Counter
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
"""Measures, and the range of each over the peers."""

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def code_lines(path: Path) -> tuple[set[int], set[int]]:
    """Return the numbers of lines that hold code, and of those with a comment."""
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
            lines.update(lines_of(node))
    return lines


def lines_of(node: ast.stmt) -> range:
    """Return the numbers of the lines of a statement."""
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def measure(folder: Path) -> dict[str, float]:
    """Return the figures of a package."""
    count: Counter[str] = Counter()
    lengths: list[int] = []
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        code, commented = code_lines(path)
        prose = docstring_lines(tree)
        count["lines"] += len(code - prose)
        count["comments"] += len(commented)
        count["long files"] += text.count("\n") > 400
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant | ast.Expr)
            # A docstring is two nodes, neither of which is code.
            if is_text and node.lineno in prose:
                continue
            count["nodes"] += 1
            count["conditional"] += isinstance(node, ast.IfExp)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lengths.append(len((set(lines_of(node)) - prose) & code))
            if isinstance(node, COMPREHENSIONS):
                count["comprehensions"] += 1
                count["nested"] += is_nested(node)
    thousands = count["lines"] / 1000.0
    return {
        "syntax nodes a code line": count["nodes"] / count["lines"],
        "nested comprehensions in 1,000 lines": count["nested"] / thousands,
        "comprehensions in 1,000 lines": count["comprehensions"] / thousands,
        "conditional expressions in 1,000 lines": count["conditional"] / thousands,
        "comment lines, % of code lines": 100.0 * count["comments"] / count["lines"],
        "function length, median": median(lengths),
        "function length, p90": quantiles(lengths, n=10)[-1],
        "files over 400 lines": count["long files"],
    }


def is_nested(
    node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp,
) -> bool:
    """Whether a comprehension has several loops, or another one inside."""
    inside = [child for child in ast.walk(node) if isinstance(child, COMPREHENSIONS)]
    return len(inside) > 1 or len(node.generators) > 1


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

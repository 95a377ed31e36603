"""List the words that the style of the project replaces; fail if one is not allowed.

Words have several senses: "programme" is right for a government's programme and wrong
for a linear program. `allowed_words.csv` lists the uses that stay: a file pattern, the
word, the text around it and the reason. ``python docs/wording.py`` prints what is left,
``--all`` also what is allowed.
"""

from __future__ import annotations

import csv
import fnmatch
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = ROOT / "docs" / "allowed_words.csv"
READ = {".py", ".pyi", ".md", ".toml", ".html", ".js", ".css", ".csv", ".json", ".cff"}
SKIPPED = (
    "data/raw/*",
    "tests/golden/*",
    "LICENSE",
    "docs/wording.py",
    "docs/allowed_words.csv",
)

REPLACED = {
    r"programmes?": "linear program, model, LP",
    r"mend(s|ed|ing)?": "fix",
    r"(tells?|told|telling)": "reports, lists, states",
    r"(says|said)": "reports, states (of software)",
    r"held (against|back)|hold(s|ing)? against": "compared with, withheld for testing",
    r"(hang|hangs|hung|hanging) on": "depends on",
    r"kept|keeps with": "stored, shipped with the data",
    r"freed": "uncommitted",
    r"dear(er|est)?": "expensive",
    r"anew": "again",
    r"spoil(s|t|ed)?": "corrupt, corrupted",
    r"begun": "construction started, started",
    r"handed (to|on|over)": "reassigned, passed",
    r"told apart|tells? apart": "distinguished",
    r"in words|for people": "as text, human-readable",
    r"the least": "minimum",
    r"(room|rooms|house)": "package, module, architecture",
    r"cards?": "leverage, chokepoint",
    r"stands|stood": "is in service, is, applies",
}
"""Patterns of words that are replaced, and what replaces them."""


@dataclass(frozen=True)
class Hit:
    """A use of a replaced word."""

    file: str
    line: int
    word: str
    text: str
    instead: str


@dataclass(frozen=True)
class Allowed:
    """A use that stays.

    Attributes
    ----------
    files : str
        Pattern of the names of files.
    word : str
        The word; empty for any.
    context : str
        Regular expression that the line of the use must contain.
    reason : str
    """

    files: str
    word: str
    context: str
    reason: str

    def covers(self, hit: Hit) -> bool:
        """Whether a hit is allowed by this entry."""
        return (
            fnmatch.fnmatch(hit.file, self.files)
            and (self.word in ("", hit.word.lower()))
            and re.search(self.context, hit.text, re.IGNORECASE) is not None
        )


def tracked_files() -> list[str]:
    """Return the text files of the repository that are checked."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [name for name in listed.stdout.splitlines() if Path(name).suffix in READ]
    for pattern in SKIPPED:
        names = [name for name in names if not fnmatch.fnmatch(name, pattern)]
    return names


def hits_in(name: str) -> Iterator[Hit]:
    """Walk over the replaced words of a file."""
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = text.splitlines()
    for pattern, instead in REPLACED.items():
        # An identifier such as `told_apart` counts, and so does a phrase over a line
        # break.
        words = pattern.replace(" ", r"[\s_]+")
        expression = re.compile(rf"(?<![A-Za-z])({words})(?![A-Za-z])", re.IGNORECASE)
        for match in expression.finditer(text):
            number = text.count("\n", 0, match.start()) + 1
            word = " ".join(match[1].split())
            yield Hit(name, number, word, lines[number - 1].strip(), instead)


def allowed_uses() -> list[Allowed]:
    """Read the list of uses that stay."""
    with ALLOWED.open(encoding="utf-8", newline="") as file:
        return [Allowed(**row) for row in csv.DictReader(file)]


def main(arguments: list[str]) -> int:
    """Print the hits that are not allowed; the exit code is 1 if there are any."""
    names = [name for name in arguments if not name.startswith("--")]
    allowed = allowed_uses()
    left = 0
    for file in tracked_files():
        if names and not file.startswith(tuple(names)):
            continue
        for hit in hits_in(file):
            entry = next((entry for entry in allowed if entry.covers(hit)), None)
            use = f"{hit.file}:{hit.line}: '{hit.word}'"
            if entry is None:
                left += 1
                print(f"{use} -> {hit.instead}: {hit.text[:100]}")
            elif "--all" in arguments:
                print(f"{use} allowed, {entry.reason}: {hit.text[:80]}")
    print(f"{left} uses of replaced words" if left else "no replaced word is left")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

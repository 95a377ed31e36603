"""What each member of the alliance can withhold, and the cases in which it does."""

from __future__ import annotations

from typing import Any

from chipmodel.cases.case import Case
from chipmodel.dataset.rows import InputFactRow
from chipmodel.model.world import Scale, World
from chipmodel.policies.export_control import ExportControl
from chipmodel.questions.answer import Column
from chipmodel.studies.case_cache import CaseCache

Withheld = frozenset[tuple[str, str]]
"""Pairs of regions: who withholds, and from whom."""


START, SLACK = 2032, 10.0
"""First year of withholding; a limit, as a share of what flows, that never binds."""


MEMBERS = ("USA", "JPN", "KOR", "TWN", "EUR")


CHOKEPOINTS: dict[str, dict[str, dict[str, Any]]] = {
    "USA": {"etch": {"input": "etch_deposition_tools"}},
    "JPN": {
        "resist": {"input": "photoresist"},
        "wafers": {"input": "wafers_300mm"},
        "coaters": {"input": "resist_tools"},
    },
    "KOR": {"memory": {"segments": ("dram", "nand"), "on": "chips"}},
    "TWN": {"logic": {"segments": ("logic_lt10",), "on": "chips"}},
    "EUR": {"euv": {"input": "euv_tools"}, "immersion": {"input": "immersion_tools"}},
}
"""Fields of the export controls of each member."""


DESCRIPTIONS = {
    "USA": "etch and deposition tools",
    "JPN": "resist, wafers, resist tools",
    "KOR": "memory",
    "TWN": "leading logic",
    "EUR": "lithography",
}


CHOKEPOINT = Column("chokepoint", "chokepoint")


OVERNIGHT = {"JPN": ("resist", "wafers"), "KOR": ("memory",), "TWN": ("logic",)}
"""What can be withheld as a surprise: materials and chips, whose loss idles fabs."""


REPLACEMENT = {"slow": "low", "central": "", "fast": "high"}
"""The end of the range in the data that each speed of replacement takes."""


ALL = "all"


def _games() -> dict[tuple[str, str], Withheld]:
    games: dict[tuple[str, str], Withheld] = {}
    for holder in MEMBERS:
        if holder != "USA":
            games[holder, "USA"] = frozenset({(holder, "USA")})
    for holder in MEMBERS:
        others = [member for member in MEMBERS if member != holder]
        games[holder, ALL] = frozenset((holder, other) for other in others)
    return games


GAMES = _games()
"""What is withheld if a member withholds from the United States, or from all others."""


def withholding(cache: CaseCache, withheld: Withheld) -> Case:
    """Return current law with every chokepoint controlled, but slack unless withheld.

    All such cases have the same shape, so that their linear program is compiled once.
    """
    controls = []
    for exporter in MEMBERS:
        for name, fields in CHOKEPOINTS[exporter].items():
            for target in MEMBERS:
                if target == exporter:
                    continue
                # Slack, not absent: cases that differ in numbers only share a shape.
                share = 0.0 if (exporter, target) in withheld else SLACK
                controls.append(_control(name, exporter, target, share, fields))
    return _with_controls(cache, controls, f"withheld_{_pairs(withheld)}")


def overnight(cache: CaseCache, holder: str, surprise: bool) -> Case:
    """Return current law with materials and chips of a member withheld from all others.

    Foreseen or as a surprise, so that the two differ in nothing else.
    """
    # Without a year in which it becomes known, it is foreseen from the start.
    known_from = START if surprise else None
    controls = []
    for name in OVERNIGHT[holder]:
        fields = {**CHOKEPOINTS[holder][name], "known_from": known_from}
        for target in MEMBERS:
            if target != holder:
                controls.append(_control(name, holder, target, 0.0, fields))
    suffix = "surprise" if surprise else "surprise_foreseen"
    pairs = _pairs(GAMES[holder, ALL])
    return _with_controls(cache, controls, f"withheld_{pairs}_{suffix}")


def _control(
    name: str, exporter: str, target: str, share: float, fields: dict[str, Any]
) -> ExportControl:
    return ExportControl(
        id=f"{name}_{exporter}_{target}".lower(),
        exporter=exporter,
        destination=target,
        share=share,
        rent_to="exporter",
        years=(START, 2041),
        source="own",
        **fields,
    )


def _pairs(withheld: Withheld) -> str:
    pairs = [f"{holder}-{target}".lower() for holder, target in withheld]
    return "_".join(sorted(pairs))


def _with_controls(cache: CaseCache, controls: list[ExportControl], name: str) -> Case:
    law = cache.case("current_law")
    return law.model_copy(
        update={
            "name": name,
            "status": "hypothetical",
            "policies": (*law.policies, *controls),
        }
    )


def replacement_worlds(cache: CaseCache, short: bool) -> dict[str, World]:
    """Return worlds by the speed at which what is withheld is replaced.

    The speeds are the range in the data; in short only the central one.
    """
    central = cache.world("central")
    if short:
        return {"central": central}
    rows = [row for row in cache.data.rows(InputFactRow) if row.item == "replacement"]
    worlds = {}
    for speed, end in REPLACEMENT.items():
        if not end:
            worlds[speed] = central
            continue
        scales = []
        for row in rows:
            scale = Scale(
                table="input_facts",
                where={"input": row.input, "item": "replacement"},
                factor=getattr(row, end) / row.value,
            )
            scales.append(scale)
        worlds[speed] = central.with_(
            name=f"central_{speed}_replacement", scale=(*central.scale, *scales)
        )
    return worlds


def games_of(short: bool) -> dict[tuple[str, str], Withheld]:
    """Return the games; in short only those in which all others are the target."""
    if not short:
        return GAMES
    return {game: withheld for game, withheld in GAMES.items() if game[1] == ALL}


def players_of(short: bool) -> tuple[str, ...]:
    """Return who may leave a coalition; in short three, and the rest trade with all."""
    return MEMBERS[:3] if short else MEMBERS

"""The commands: where each is defined, and what it does in a line."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A command: its module, its name there, and the line of the help."""

    module: str
    attribute: str
    about: str


COMMANDS = {
    "list": Entry(
        "data_commands",
        "list_all",
        "List data packages, worlds, cases, studies and questions.",
    ),
    "check": Entry(
        "data_commands",
        "check",
        "Report every problem of a data package at once: file, place, fix.",
    ),
    "show": Entry(
        "case_commands",
        "show",
        "Show a resolved case: each instrument, its law, its source, its size.",
    ),
    "source": Entry(
        "data_commands",
        "source",
        "Show where a number comes from: its citation, address, grade and range.",
    ),
    "why": Entry(
        "case_commands",
        "why",
        "Explain why a case has no solution, or what binds in the one it has.",
    ),
    "diff": Entry("case_commands", "diff", "Show what differs between two cases."),
    "new": Entry(
        "case_commands",
        "new",
        "Write a commented case file, into the cases of --data or this folder.",
    ),
    "copy-data": Entry(
        "data_commands",
        "copy_data",
        "Copy the data package with its cases, worlds and studies, to edit it.",
    ),
    "run": Entry(
        "case_commands",
        "run_case",
        "Solve a case in a world; write tables and manifest.",
    ),
    "rerun": Entry(
        "case_commands", "rerun", "Rebuild a result and report what differs."
    ),
    "export": Entry(
        "case_commands",
        "export",
        "Write the linear program of a case for other solvers.",
    ),
    "study": Entry(
        "study_commands",
        "study",
        "Solve the cases of a study and compare them, or answer a question.",
    ),
    "report": Entry(
        "study_commands",
        "report",
        "Answer every question and write one page; what is fresh is reused.",
    ),
    "validate": Entry(
        "study_commands",
        "validate",
        "Compare the model with published results: hits, misses and reasons.",
    ),
    "formulation": Entry(
        "data_commands",
        "formulation",
        "Print the linear program, generated from the code.",
    ),
    "cite": Entry("data_commands", "cite", "Print how to cite chipmodel and its data."),
}
"""The commands in the order of the help.

A module is imported when one of its commands is used: the command line starts at once,
and can be interrupted while pandas and pyomo load.
"""

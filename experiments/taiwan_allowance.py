"""Taiwan's allowance: its effect on US capacity, its value, and who receives it.

    python experiments/taiwan_allowance.py --out results --jobs 2

solves the study ``taiwan_allowance`` and writes ``results/taiwan_allowance/``: its
comparison as CSV and ``allowance.csv``, a row for each duty and each rate above the
allowance. US capacity is compared with both cases without the allowance: no duty, and
the duty without Taiwan's terms.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

import chipmodel as cm
from chipmodel.common.progress import Progress
from chipmodel.common.tables import table_csv

RATE = "taiwan_terms.rate_above"
DUTIES = {"25%": "section232_25", "100%": "section232_100"}
"""Cases with the allowance, by duty; each has one without it beside it."""

LEADING = "capacity.USA.logic_lt10.2035"
WORTH = {
    "certificate in 2035, USD/wafer": ("certificate.price.taiwan_terms.2035", 1.0),
    "a kwpm under construction in 2030, MUSD": (
        "certificate.building.taiwan_terms.2030",
        1.0,
    ),
    "a kwpm in service in 2035, MUSD": ("certificate.running.taiwan_terms.2035", 1.0),
    "duty forgone, USD bn": ("certificate.refund.taiwan_terms", 1e-3),
    "of which to TSMC, USD bn": ("certificate.income.taiwan_terms.tsmc", 1e-3),
    "of which to all builders, USD bn": ("certificate.income.taiwan_terms.all", 1e-3),
}
"""Columns of the table: a metric, and the factor from its unit to the column's."""


def allowance(table: pd.DataFrame) -> pd.DataFrame:
    """Return effect and value of the allowance, by duty and by rate above it."""
    # The name of a case at a point is that of the case with the point in brackets.
    bare = table.assign(start=table["case"].str.partition("[")[0])
    cells = bare.set_index(["metric", "start"])
    rows = []
    for duty, case in DUTIES.items():
        free = float(cells.loc[(LEADING, "current_law"), "value"])
        without = float(cells.loc[(LEADING, f"{case}_no_allowance"), "value"])
        for _, cell in cells.loc[[(LEADING, case)]].iterrows():
            of_case = table[table["case"] == cell["case"]]
            values = of_case.set_index("metric")["value"]
            row = {
                "duty": duty,
                "rate above": cell[RATE],
                "US logic below 10 nm in 2035, kwpm": cell["value"],
                "against no duty": cell["value"] - free,
                "against the duty without terms": cell["value"] - without,
            }
            for name, (metric, scale) in WORTH.items():
                row[name] = values[metric] * scale
            rows.append(row)
    return pd.DataFrame(rows)


def main() -> int:
    """Run the study, print its result and write the table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--out",
        default="results",
        metavar="DIR",
        help="folder for results (default: results)",
    )
    options.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes (default: 1)"
    )
    given = options.parse_args()
    try:
        with Progress(sys.stderr) as on_progress:
            result = cm.run_study(
                "taiwan_allowance",
                cm.load_dataset(),
                out=given.out,
                jobs=given.jobs,
                on_progress=on_progress,
            )
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, cm.InputError) else 1
    effects = allowance(result.table)
    path = Path(given.out) / "taiwan_allowance" / "allowance.csv"
    path.write_text(table_csv(effects), encoding="utf-8")
    print(effects.T.to_string(header=False, float_format="{:,.2f}".format))
    for written in (*result.written, path):
        print("written:", written)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Who bears American tariffs on chips: as announced in April 2025, as enacted, and under Section 232 at 25 and 100%?

    python experiments/q01_tariffs.py --out results --short --jobs 2

writes ``results/q01_tariffs/``: the finding, its tables as CSV and LaTeX, its figures
as PDF, PNG and SVG, and a manifest; without ``--short`` with every case. The same as
``chipmodel study q01``, and in a notebook as
``chipmodel.questions.run.run_question("q01", chipmodel.load_dataset(), "results")``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q01_tariffs"))

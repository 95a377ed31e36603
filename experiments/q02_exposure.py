"""Which ally loses most from each tariff case, in dollars and for its size?

    python experiments/q02_exposure.py --out results --short --jobs 2

writes ``results/q02_exposure/``: the finding, its tables as CSV and LaTeX, its figures
as PDF, PNG and SVG, and a manifest; without ``--short`` with every case. The same as
``chipmodel study q02``, and in a notebook as
``chipmodel.questions.run.run_question("q02", chipmodel.load_dataset(), "results")``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q02_exposure"))

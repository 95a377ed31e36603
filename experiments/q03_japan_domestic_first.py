"""Does Japan's domestic-first chip strategy pull fabs out of the United States?

    python experiments/q03_japan_domestic_first.py --out results --short --jobs 2

writes ``results/q03_japan_domestic_first/``: the finding, its tables as CSV and LaTeX,
its figures as PDF, PNG and SVG, and a manifest; without ``--short`` with every case.
The same as ``chipmodel study q03``, and in a notebook as
``chipmodel.questions.run.run_question("q03", chipmodel.load_dataset(), "results")``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q03_japan_domestic_first"))

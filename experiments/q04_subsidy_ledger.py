"""What does each treasury pay for fabs, what share of its GDP is that, and what does it get?

    python experiments/q04_subsidy_ledger.py --out results --short --jobs 2

writes ``results/q04_subsidy_ledger/``: the finding, its tables as CSV and LaTeX, its
figures as PDF, PNG and SVG, and a manifest; without ``--short`` with every case. The
same as ``chipmodel study q04``, and in a notebook as
``chipmodel.questions.run.run_question("q04", chipmodel.load_dataset(), "results")``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q04_subsidy_ledger"))

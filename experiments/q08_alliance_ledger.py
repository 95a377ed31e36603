"""How do transfers through chips compare with what allies pay for defence, gas and investment?

    python experiments/q08_alliance_ledger.py --out results --short --jobs 2

writes ``results/q08_alliance_ledger/``: the finding, its tables as CSV and LaTeX, its
figures as PDF, PNG and SVG, and a manifest; without ``--short`` with every case. The
same as ``chipmodel study q08``, and in a notebook as
``chipmodel.questions.run.run_question("q08", chipmodel.load_dataset(), "results")``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q08_alliance_ledger"))

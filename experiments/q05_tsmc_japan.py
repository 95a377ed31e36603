"""What do TSMC's fabs in Kumamoto make, for whom, at what support, and what becomes of them in each case?

    python experiments/q05_tsmc_japan.py --out results --short --jobs 2

writes ``results/q05_tsmc_japan/``: the finding, its tables as CSV and LaTeX, its
figures as PDF, PNG and SVG, and a manifest; without ``--short`` with every case. The
same as ``chipmodel study q05``, and in a notebook as
``chipmodel.questions.run.run_question("q05", chipmodel.load_dataset(), "results")``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q05_tsmc_japan"))

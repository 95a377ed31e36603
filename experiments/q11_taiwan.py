"""What does the loss of Taiwan's fabs cost, and what is a fab elsewhere worth as insurance?

    python experiments/q11_taiwan.py --out results --short --jobs 2

writes ``results/q11_taiwan/``: the finding, its tables as CSV and LaTeX, its figures as
PDF, PNG and SVG, and a manifest; without ``--short`` with every case. The same as
``chipmodel study q11``, and in a notebook as
``chipmodel.questions.run.run_question("q11", chipmodel.load_dataset(), "results")``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q11_taiwan"))

"""What does it cost to buy from trusted origins only, step by step, and what is trust worth a wafer?

    python experiments/q12_friendshoring.py --out results --short --jobs 2

writes ``results/q12_friendshoring/``: the finding, its tables as CSV and LaTeX, its
figures as PDF, PNG and SVG, and a manifest; without ``--short`` with every case. The
same as ``chipmodel study q12``, and in a notebook as
``chipmodel.questions.run.run_question("q12", chipmodel.load_dataset(), "results")``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q12_friendshoring"))

"""What does it cost to detach from China, and what would a China-Japan-Korea free trade area change?

    python experiments/q07_china.py --out results --short --jobs 2

writes ``results/q07_china/``: the finding, its tables as CSV and LaTeX, its figures as
PDF, PNG and SVG, and a manifest; without ``--short`` with every case. The same as
``chipmodel study q07``, and in a notebook as
``chipmodel.questions.run.run_question("q07", chipmodel.load_dataset(), "results")``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q07_china"))

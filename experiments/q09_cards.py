"""What can each ally withhold, what does it cost the others, and what does it cost itself?

    python experiments/q09_cards.py --out results --short --jobs 2

writes ``results/q09_cards/``: the finding, its tables as CSV and LaTeX, its figures as
PDF, PNG and SVG, and a manifest; without ``--short`` with every case. The same as
``chipmodel study q09``, and in a notebook as
``chipmodel.questions.run.run_question("q09", chipmodel.load_dataset(), "results")``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q09_cards"))

"""What do Samsung and SK hynix do in the United States if their awards are withdrawn, delayed or converted?

    python experiments/q06_korean_awards.py --out results --short --jobs 2

writes ``results/q06_korean_awards/``: the finding, its tables as CSV and LaTeX, its
figures as PDF, PNG and SVG, and a manifest; without ``--short`` with every case. The
same as ``chipmodel study q06``, and in a notebook as
``chipmodel.questions.run.run_question("q06", chipmodel.load_dataset(), "results")``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q06_korean_awards"))

"""Who holds the cards: what can each withhold, and at what price?

The same as ``chipmodel study q09``, with the same options; see ``README.md``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q09_cards"))

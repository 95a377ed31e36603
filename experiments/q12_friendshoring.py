"""What does it cost to buy chips from trusted origins only?

The same as ``chipmodel study q12``, with the same options; see ``README.md``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q12_friendshoring"))

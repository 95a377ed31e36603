"""What does it cost to use fewer Chinese chips, and who bears it?

The same as ``chipmodel study q07``, with the same options; see ``README.md``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q07_china"))

"""How large are payments over chips beside those for troops and defence?

The same as ``chipmodel study q08``, with the same options; see ``README.md``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q08_alliance_ledger"))

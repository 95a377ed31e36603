"""What does each treasury pay for fabs, and what does it get?

The same as ``chipmodel study q04``, with the same options; see ``README.md``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q04_subsidy_ledger"))

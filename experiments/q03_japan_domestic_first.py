"""Do Japan's domestic-first subsidies divert fabs from the United States?

The same as ``chipmodel study q03``, with the same options; see ``README.md``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q03_japan_domestic_first"))

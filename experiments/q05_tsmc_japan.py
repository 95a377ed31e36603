"""TSMC in Japan: what do its fabs make, for whom and with what subsidies?

The same as ``chipmodel study q05``, with the same options; see ``README.md``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q05_tsmc_japan"))

"""What would the loss of Taiwan's fabs cost, and what are fabs elsewhere worth?

The same as ``chipmodel study q11``, with the same options; see ``README.md``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q11_taiwan"))

"""Who bears US tariffs on chips: as announced, as enacted, under Section 232?

The same as ``chipmodel study q01``, with the same options; see ``README.md``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q01_tariffs"))

"""Which ally loses most from US tariffs on chips?

The same as ``chipmodel study q02``, with the same options; see ``README.md``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q02_exposure"))

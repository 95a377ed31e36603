"""What is built in Taylor and Indiana if Korean awards are not paid?

The same as ``chipmodel study q06``, with the same options; see ``README.md``.
"""

import sys

from chipmodel.cli.main import script

if __name__ == "__main__":
    sys.exit(script("q06_korean_awards"))

"""``python -m chipmodel``."""

import sys

from chipmodel.cli import main

if __name__ == "__main__":
    sys.exit(main())

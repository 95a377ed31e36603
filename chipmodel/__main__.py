"""``python -m chipmodel``."""

import sys

from chipmodel.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

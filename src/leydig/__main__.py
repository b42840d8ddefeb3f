"""``python -m leydig`` is the command ``leydig``."""

import sys

from leydig.cli import main

if __name__ == "__main__":
    sys.exit(main())

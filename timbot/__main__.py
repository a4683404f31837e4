"""`python -m timbot` is `timbot`."""

from __future__ import annotations

import sys

from timbot.cli import main

if __name__ == "__main__":
    sys.exit(main())

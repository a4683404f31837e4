"""One framework, one configuration, one case, in the peers' environment: `python -m benchmarks.peers.child`.

Arguments: NAME CONFIG CASE [FILE].
"""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path

from benchmarks.peers.far_end import FarEnd
from benchmarks.peers.users import SCENARIOS

AGAIN_PACE = 0.01
"""After a restart handlers take a hundredth of their time: what counts is whether they run."""


def main(name: str, config: str, case: str, file: str = "") -> None:
    """Run until the case is over or a signal comes."""
    logging.basicConfig(level=logging.CRITICAL)
    pace = AGAIN_PACE if case == "again" else 1.0
    far = FarEnd(SCENARIOS[case], Path(file) if file else None, pace)
    importlib.import_module(f"benchmarks.peers.peer_{name}").run(far, config)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The exit codes, so that a supervisor can tell a mistake in the configuration from bad luck.

A clean stop is 0, whether Ctrl-C, SIGTERM or the end of the work brought it about. A second signal ends the process at
once, as the system reports it: 130 for SIGINT, 143 for SIGTERM.
"""

from __future__ import annotations

from typing import Final

from timbot.errors import ConfigError, TimbotError

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
"""click's own: a wrong option or argument."""
BUG: Final = 70
CONFIG: Final = 78
INTERRUPTED: Final = 130


def of(error: TimbotError) -> int:
    """The code for an error."""
    return CONFIG if isinstance(error, ConfigError) else FAILED

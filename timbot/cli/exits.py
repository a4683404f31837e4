"""The exit codes, so that a supervisor can tell a mistake in the configuration from bad luck.

A clean stop is 0, whether Ctrl-C, SIGTERM or the end of the work brought it about. A second signal ends the process at
once, as the system reports it: 130 for SIGINT, 143 for SIGTERM.
"""

from __future__ import annotations

from typing import Final

from timbot.errors import ConfigError, ConnectionLost, KickedOutError, LoginRefused, PluginError, TimbotError

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
"""click's own: a wrong option or argument."""
UNAVAILABLE: Final = 69
"""No server could be reached for as long as the session tries: starting again later may help."""
BUG: Final = 70
BLOCKED: Final = 71
"""The loop did not turn for as long as `watchdog:` allows: a handler blocks it. Starting again helps until it does so again."""
STORE: Final = 74
"""The store cannot be used, or cannot be written any more: a full disk, a damaged file, another program's lock."""
KICKED_OUT: Final = 75
"""The account was logged in somewhere else. Do not start again by itself: two would kick each other out."""
LOGIN_REFUSED: Final = 77
"""The server does not take the signature or the account. Starting again will not help."""
CONFIG: Final = 78
"""A mistake in the configuration or in a plugin."""
INTERRUPTED: Final = 130


def of(error: TimbotError) -> int:
    """The code for an error."""
    from timbot.store.errors import StoreError, StoreInUse  # loaded where there is an error, and only then

    codes: tuple[tuple[type[TimbotError], int], ...] = (*_CODES, (StoreInUse, FAILED), (StoreError, STORE))
    for kind, code in codes:
        if isinstance(error, kind):
            return code
    return FAILED


_CODES: Final[tuple[tuple[type[TimbotError], int], ...]] = (
    (ConfigError, CONFIG),
    (PluginError, CONFIG),
    (LoginRefused, LOGIN_REFUSED),
    (KickedOutError, KICKED_OUT),
    (ConnectionLost, UNAVAILABLE),
)

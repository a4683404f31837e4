"""Which files with secrets everybody on this machine can read, and somebody could do something about.

What a container or a supervisor hands in is left alone: such files lie beneath /run, or on a read-only mount, often with
mode 0644 inside a place that nobody else gets into. A group may read: that is how one account is let in.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from timbot.config.models import Config

HANDED_IN: Final = (Path("/run"), Path("/var/run"))
"""Where secrets are put by what starts a process: Docker, Podman, systemd."""


def exposed_files(config: Config, folder: Path) -> list[Path]:
    """The files with keys and signatures of a configuration in `folder` that everybody may read, each once."""
    named = [file for account in config.accounts for file in (account.secret_key_file, account.user_sig_file) if file]
    files = dict.fromkeys([*(folder / file for file in named), *config.files])
    return [file for file in files if _is_exposed(file)]


def _is_exposed(file: Path) -> bool:
    if os.name != "posix":
        return False
    try:
        real = file.resolve(strict=True)
        if any(real.is_relative_to(place) for place in HANDED_IN) or os.statvfs(real).f_flag & os.ST_RDONLY:
            return False
        reached = all(parent.stat().st_mode & stat.S_IXOTH for parent in real.parents)
        return reached and bool(real.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False  # it is gone, or in a place that even we may not look into

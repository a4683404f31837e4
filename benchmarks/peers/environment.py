"""The environment the frameworks live in: made when it is missing or its lock has changed, never the project's own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = ROOT / "requirements" / "peers.txt"
FOLDER: Final = Path(__file__).resolve().parent / ".venv"
PYTHON: Final = FOLDER / "bin" / "python"
SHOWN: Final = ("python-telegram-bot", "aiogram", "nonebot2", "nonebot-adapter-onebot", "discord-py", "slack-bolt", "slack-sdk")


def prepare() -> Path:
    """The interpreter of an environment in which exactly the locked packages are installed."""
    stamp = FOLDER / ".installed"
    want = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != want:
        print(f"installing the packages of {LOCK.relative_to(ROOT)} into {FOLDER.relative_to(ROOT)}", file=sys.stderr)
        venv.create(FOLDER, with_pip=True, clear=True)
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
        stamp.write_text(want)
    return PYTHON


def versions() -> dict[str, str]:
    """What is installed, of what the table names."""
    wanted = {}
    for line in LOCK.read_text().splitlines():
        name, _, version = line.partition("==")
        if name in SHOWN:
            wanted[name] = version.split()[0]
    return wanted

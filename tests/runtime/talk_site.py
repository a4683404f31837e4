"""`timbot chat` with its input held open: where that ends it waits for a moment only, and a busy machine needs longer."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

PATIENCE = 60.0
"""Seconds a process may take for anything, on a busy machine."""


def talk(*arguments: str, turns: Mapping[str, str], cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """A talk, line by line: the next ones are written when what is printed matches the pattern of those before."""
    command = [sys.executable, "-m", "timbot", "chat", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=pipe) as chat:
        limit = threading.Timer(PATIENCE, chat.kill)
        limit.start()
        assert chat.stdin is not None
        assert chat.stdout is not None
        heard = b""
        for lines, pattern in turns.items():
            chat.stdin.write(f"{lines}\n".encode(errors="surrogateescape"))
            chat.stdin.flush()
            while not re.search(pattern, heard.decode()) and (line := chat.stdout.readline()):
                heard += line
        rest, errors = chat.communicate()
        limit.cancel()
    return subprocess.CompletedProcess(command, chat.returncode, heard + rest, errors)

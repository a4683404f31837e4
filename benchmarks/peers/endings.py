"""Cases 4 and 5, seen from outside: a process is stopped or killed, a second one follows, and the far end's file tells."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.peers.far_end import read_lines

PATIENCE: Final = 20.0
"""Seconds for a process to begin, to end, or to handle what is delivered again."""

INTO_THE_HANDLER: Final = 0.5
"""Seconds between the first handler's start and SIGTERM."""

BEFORE_THE_KILL: Final = 1.0
"""Seconds between the first handler's start and kill -9 at most: handlers take 2 s, so none has ended."""


def stop(command: Callable[[str], list[str]], file: Path) -> dict[str, object]:
    """Case 4: SIGTERM half a second into the handler. `command` gives the command line of a scenario."""
    process = _begin(command("stop"), file)
    time.sleep(INTO_THE_HANDLER)
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    try:
        code: int | None = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        code = None
    seconds = time.monotonic() - begin
    begun = {"began": len(_users(file, "began")), "ended": len(_users(file, "ended"))}
    return begun | {"exit_code": code, "exit_seconds": round(seconds, 1)} | _follow(command, file)


def kill(command: Callable[[str], list[str]], file: Path) -> dict[str, object]:
    """Case 5: kill -9 as soon as every message is acknowledged, at the latest a second after the first handler began."""
    process = _begin(command("inbox"), file)
    end = time.monotonic() + BEFORE_THE_KILL
    while time.monotonic() < end and len(_users(file, "ack")) < len(_users(file, "say")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    return {"acknowledged": len(_users(file, "ack"))} | _follow(command, file)


def _begin(command: list[str], file: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE
    while not _users(file, "began"):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise RuntimeError(f"no handler began: {' '.join(command)}")
        time.sleep(0.01)
    return process


def _follow(command: Callable[[str], list[str]], file: Path) -> dict[str, object]:
    """Start again, let the server deliver what it still has, and count by user (each sent one message)."""
    before = set(_users(file, "sent"))
    subprocess.run(command("again"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=6 * PATIENCE, check=True)
    said = set(_users(file, "say", 2))
    sent = _users(file, "sent")
    return {
        "messages": len(said),
        "answered_before": len(before),
        "answered_after_restart": len(set(sent) - before),
        "lost": len(said - set(sent)),
        "answered_twice": sum(count > 1 for count in sent.values()),
    }


def _users(file: Path, kind: str, position: int = 1) -> Counter[int]:
    return Counter(int(line[position]) for line in read_lines(file) if line[0] == kind)

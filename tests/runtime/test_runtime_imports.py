"""What a plugin author's `import timbot` costs, and that mypy understands the example."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import timbot

ROOT = Path(__file__).parents[2]
HEAVY = ["structlog", "pydantic", "uvicorn", "starlette", "rich", "websockets", "click", "yaml"]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)


def test_importing_timbot_loads_nothing_heavy() -> None:
    code = f"import sys, timbot; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert python("-c", code).stdout == "[]\n"


def test_the_names_of_timbot_are_all_there() -> None:
    assert [name for name in timbot.__all__ if not hasattr(timbot, name)] == []
    assert len(set(timbot.__all__)) == len(timbot.__all__)


def test_the_example_type_checks_strictly() -> None:
    done = python("-m", "mypy", "--strict", "--no-incremental", "--follow-imports=silent", "examples/hello.py")
    assert done.stdout.startswith("Success"), done.stdout


def test_a_wrong_return_type_is_found_by_mypy(tmp_path: Path) -> None:
    file = tmp_path / "plugin.py"
    lines = ["from timbot import Context, Custom, Plugin, Text", 'bot = Plugin("p")', "@bot.on_text"]
    lines += ["async def f(ctx: Context[Text]) -> str:", "    return ctx.payload.data", ""]
    file.write_text("\n".join(lines))
    done = python("-m", "mypy", "--strict", "--no-incremental", "--follow-imports=silent", str(file))
    assert '"Text" has no attribute "data"' in done.stdout

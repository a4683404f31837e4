"""The shipped plugins use what every author may use: the public names of timbot, pydantic, the standard library."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
import timbot_plugins

FOLDER = Path(timbot_plugins.__file__).parent
PUBLIC = {"timbot", "timbot.errors", "timbot.fields", "timbot.schedule", "pydantic"}


def imported(file: Path) -> set[str]:
    """The modules a file imports; `from m import n` counts as `m`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}:{node.lineno} imports by dots"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.py")), ids=lambda file: str(file.relative_to(FOLDER)))
def test_only_public_names_are_imported(file: Path) -> None:
    own = {name for name in imported(file) if name.partition(".")[0] not in {*sys.stdlib_module_names, "timbot_plugins"}}
    assert own <= PUBLIC

"""Every error leads to a page that explains it."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

import timbot
from timbot.errors import TimbotError

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


def all_errors(kind: type[TimbotError] = TimbotError) -> list[type[TimbotError]]:
    for module in pkgutil.walk_packages(timbot.__path__, "timbot."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return [kind, *(found for child in kind.__subclasses__() for found in all_errors(child))]


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_its_anchor_exists(error: type[TimbotError]) -> None:
    page, _, anchor = error.docs.partition("#")
    assert page == PAGE.stem
    assert not anchor or f"\n## {anchor}\n" in PAGE.read_text(encoding="utf-8")


def test_every_section_is_some_error_s() -> None:
    sections = {line[3:] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("## ")}
    own = {error.docs.partition("#")[2] for error in all_errors() if error.__module__.startswith("timbot.")}
    assert sections == own - {""}

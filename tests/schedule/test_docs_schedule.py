"""The examples of `docs/schedule.md` are run."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "schedule.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS[:2], ids=range(2))
def test_a_block_runs(block: str, tmp_path: Path) -> None:
    source = tmp_path / "block.py"
    source.write_text(block, encoding="utf-8")
    exec(compile(block, str(source), "exec"), {"__name__": "block"})


def test_the_plan_from_settings_works_as_its_test_says(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("news")
    monkeypatch.setitem(sys.modules, "news", module)  # where a dataclass looks for the names of its types
    for block in BLOCKS[2:]:
        exec(compile(block, str(PAGE), "exec"), vars(module))
    vars(module)["test_the_news_come_on_mondays"]()


def test_there_are_blocks() -> None:
    assert len(BLOCKS) == 4

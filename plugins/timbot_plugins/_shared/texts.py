"""What templates of settings say, and texts cut to what the server takes."""

from __future__ import annotations

from collections.abc import Mapping

from timbot import Template


def said(texts: tuple[Template, ...] | None, values: Mapping[str, object]) -> list[str]:
    """What these templates say, in order."""
    return [template.render(**values) for template in texts or ()]


def cut(text: str, size: int) -> str:
    """The text in one line and in at most `size` bytes of UTF-8, with no character cut in two."""
    line = " ".join(text.split())
    return line.encode("utf-8", "replace")[:size].decode("utf-8", "ignore").rstrip()

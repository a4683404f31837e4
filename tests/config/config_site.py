"""What the tests of the configuration share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from timbot.config import Config, Document

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"
ACCOUNT = "accounts:\n  - user_id: bot\n"


def document(text: str, environ: Mapping[str, str] | None = None, folder: Path = Path()) -> Document:
    """A document called c.yaml, in an environment of its own."""
    return Document.of(text, "c.yaml", folder, environ or {})


def config(text: str, environ: Mapping[str, str] | None = None, folder: Path = Path()) -> Config:
    return document(text, environ, folder).config()


def mistakes(text: str, environ: Mapping[str, str] | None = None, folder: Path = Path()) -> list[str]:
    """Every mistake as a line."""
    return [str(problem) for problem in document(text, environ, folder).problems]


def mistake(text: str, environ: Mapping[str, str] | None = None, folder: Path = Path()) -> str:
    """The one mistake there is."""
    [one] = mistakes(text, environ, folder)
    return one

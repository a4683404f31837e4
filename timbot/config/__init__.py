"""The configuration: typed models and the reader that turns a YAML file into them.

Every mistake is reported with file, line, column and key, all of them at once, and an unknown key with the closest right
one. No message shows a value of the file: it may be a secret.
"""

from __future__ import annotations

from pathlib import Path

from timbot.config.document import Document, settings_of
from timbot.config.duration import Duration, seconds
from timbot.config.exposed import exposed_files
from timbot.config.models import AccountConfig, Config, HttpConfig, LogConfig, PluginUse, SandboxConfig, WatchdogConfig
from timbot.config.problems import ConfigErrors, Location, Problem

__all__ = [
    "AccountConfig",
    "Config",
    "ConfigErrors",
    "Document",
    "Duration",
    "HttpConfig",
    "Location",
    "LogConfig",
    "PluginUse",
    "Problem",
    "SandboxConfig",
    "WatchdogConfig",
    "describe_settings",
    "exposed_files",
    "load",
    "parse",
    "read",
    "seconds",
    "settings_of",
]


def describe_settings(kind: type | None) -> list[str]:
    """A line for each key of a settings type."""
    from timbot.config.describe import describe_settings  # what only a few commands need

    return describe_settings(kind)


def read(path: Path) -> Document:
    """Read a file. Raises `ConfigError` if there is no text to be had; what is wrong in it are its `problems`."""
    return Document.read(path)


def load(path: Path) -> Config:
    """Read a configuration. Raises `ConfigError` that names every mistake and its place."""
    return read(path).config()


def parse(text: str, name: str = "<config>") -> Config:
    """The configuration in a YAML text. Raises `ConfigError`."""
    return Document.of(text, name).config()

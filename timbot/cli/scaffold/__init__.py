"""What `timbot new` writes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final

from timbot.errors import ConfigError

EXAMPLE: Final = "config.example.yaml"

_FILES: Final = {
    "pyproject.toml": "pyproject.toml.tmpl",
    "config.yaml": "config.yaml.tmpl",
    "README.md": "README.md.tmpl",
    ".gitignore": "gitignore.tmpl",
    "{module}/__init__.py": "plugin.py.tmpl",
    "{module}/templates/hello.j2": "hello.j2.tmpl",
    "tests/test_{module}.py": "test.py.tmpl",
}


def write_plugin(folder: Path, name: str, module: str) -> list[str]:
    """Write a plugin's files; their names. Raises `ConfigError` if there is something in the folder already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already.", hint="Give another name, or remove it.")
    templates = resources.files(__name__) / "plugin"
    made = {}
    for target, source in _FILES.items():
        text = (templates / source).read_text(encoding="utf-8")
        made[target.format(module=module)] = text.replace("<name>", name).replace("<module>", module)
    write_files({folder / path: text for path, text in made.items()})
    return list(made)


def write_files(files: Mapping[Path, str]) -> None:
    """Write texts, and the folders for them. Raises `ConfigError` where that cannot be."""
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror or error}.", hint="Give another place.") from error


def example() -> str:
    """The example configuration: in a wheel it lies beside this module, in a checkout in the root."""
    packaged = resources.files(__name__) / EXAMPLE
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / EXAMPLE).read_text(encoding="utf-8")

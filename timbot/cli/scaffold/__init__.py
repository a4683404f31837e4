"""What `timbot new` writes."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Final

from timbot.errors import ConfigError

EXAMPLE: Final = "config.example.yaml"

_FILES: Final = {
    "pyproject.toml": "pyproject.toml.tmpl",
    "config.yaml": "config.yaml.tmpl",
    "README.md": "README.md.tmpl",
    "{module}/__init__.py": "plugin.py.tmpl",
    "{module}/templates/hello.j2": "hello.j2.tmpl",
    "tests/test_{module}.py": "test.py.tmpl",
}


def write_plugin(folder: Path, name: str, module: str) -> list[str]:
    """Write a plugin's files; their names. Raises `ConfigError` if there is something in the folder already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already.", hint="Give another name, or remove it.")
    templates = resources.files(__name__) / "plugin"
    made = []
    for target, source in _FILES.items():
        path = target.format(module=module)
        text = (templates / source).read_text(encoding="utf-8")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text.replace("<name>", name).replace("<module>", module), encoding="utf-8")
        made.append(path)
    return made


def example() -> str:
    """The example configuration: in a wheel it lies beside this module, in a checkout in the root."""
    packaged = resources.files(__name__) / EXAMPLE
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / EXAMPLE).read_text(encoding="utf-8")

"""Finds plugins: a Python file beside the configuration, or an importable module.

Whatever goes wrong while a plugin is imported is reported with the plugin's own file and line, before anything starts.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from timbot.errors import PluginError, TimbotError
from timbot.routing.plugin import Plugin


def load_plugins(names: list[str], folder: Path) -> list[Plugin]:
    """The plugins of these names, in order. Paths are relative to `folder`. Raises `PluginError`."""
    plugins: list[Plugin] = []
    for name in names:
        plugins.extend(_plugins_of(_load(name, folder), name))
    return plugins


def _load(name: str, folder: Path) -> ModuleType:
    try:
        return _load_file((folder / name).resolve()) if name.endswith(".py") else importlib.import_module(name)
    except TimbotError:
        raise
    except ModuleNotFoundError as error:
        if not name.endswith(".py") and error.name and f"{name}.".startswith(f"{error.name}."):
            raise PluginError(
                f"There is no plugin '{name}'.", hint="Give a module that can be imported, or a file ending in .py."
            ) from None
        raise _failed(name, error) from error
    except (Exception, SystemExit) as error:
        raise _failed(name, error) from error


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise PluginError(f"There is no plugin file {path}.", hint="Paths are relative to the configuration file.")
    module_name = f"timbot_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module


def _failed(name: str, error: Exception | SystemExit) -> PluginError:
    if isinstance(error, SyntaxError):
        return PluginError(f"Plugin '{name}' has a syntax error: {error.filename}:{error.lineno}: {error.msg}.")
    return PluginError(f"Plugin '{name}' failed to import: {_own_place(error)}{type(error).__name__}: {error}.")


def _own_place(error: BaseException) -> str:
    """The last line of the plugin's own that the error passed; what it calls in libraries tells its author less."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.filename not in (__file__, importlib.__file__)
    ]
    if not frames:
        return ""
    folder = Path(frames[0].filename).parent
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)][-1]
    return f"{own.filename}:{own.lineno}: "


def _plugins_of(module: ModuleType, name: str) -> list[Plugin]:
    found = [value for value in vars(module).values() if isinstance(value, Plugin)]
    unique = list({id(plugin): plugin for plugin in found}.values())
    if not unique:
        raise PluginError(f"'{name}' defines no plugin.", hint='It needs a line like: bot = Plugin("my-plugin")')
    return unique

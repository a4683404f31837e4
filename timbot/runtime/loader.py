"""Finds plugins: a Python file or a package's folder beside the configuration, one that comes with timbot, or a module.

Whatever goes wrong while a plugin is imported is reported with the plugin's own file and line, before anything starts.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
import re
import sys
import traceback
import zlib
from pathlib import Path
from types import ModuleType
from typing import Final

from timbot.errors import PluginError, TimbotError
from timbot.routing.plugin import Plugin

SHIPPED: Final = "timbot_plugins"
"""The package of the plugins that come with timbot; a configuration names them without it."""

_NOT_OURS: Final = re.compile(r"cannot import name '(\w+)' from 'timbot'|module 'timbot' has no attribute '(\w+)'")


class Loader:
    """Loads each plugin once, however many accounts use it. Paths are relative to `folder`, where modules are found too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        beside = str(folder.resolve())
        if beside not in sys.path:
            sys.path.append(beside)  # last: a file beside a configuration is never taken for another module
        self._loaded: dict[str, tuple[Plugin, ...] | PluginError] = {}

    def load(self, name: str) -> tuple[Plugin, ...]:
        """The plugins of a file, a package's folder or a module, in order. Raises `PluginError`, the same one each time."""
        path = (self._folder / name).resolve() if _is_path(name) else None
        key = name if path is None else str(path)
        if key not in self._loaded:
            try:
                self._loaded[key] = _plugins_of(_load(name, path), name)
            except PluginError as error:
                self._loaded[key] = error
        found = self._loaded[key]
        if isinstance(found, PluginError):
            raise found
        return found


def _is_path(name: str) -> bool:
    return name.endswith(".py") or "/" in name or "\\" in name


def shipped() -> list[str]:
    """The bare names of the plugins that come with timbot."""
    package = importlib.import_module(SHIPPED)
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_"))


def _load(name: str, path: Path | None) -> ModuleType:
    try:
        if path is not None:
            return _load_file(path)
        return importlib.import_module(f"{SHIPPED}.{name}" if name in shipped() else name)
    except PluginError:
        raise
    except ModuleNotFoundError as error:
        if path is None and error.name and f"{name}.".startswith(f"{error.name}."):
            raise _no_such(name) from None
        raise _failed(name, error) from error
    except (Exception, SystemExit) as error:
        raise _failed(name, error) from error


def _no_such(name: str) -> PluginError:
    close = difflib.get_close_matches(name, shipped(), n=1)
    others = f"There are {', '.join(shipped())}, files ending in .py, and modules that can be imported."
    return PluginError(f"There is no plugin '{name}'.", hint=f"Did you mean {close[0]}?" if close else others)


def _load_file(path: Path) -> ModuleType:
    file = path / "__init__.py" if path.is_dir() else path
    if not file.is_file():
        meant = path.with_name(f"{path.name}.py")
        hint = f"Did you mean {meant}?" if meant.is_file() else "Paths are relative to the configuration file."
        raise PluginError(f"There is no plugin file {file}.", hint=hint)
    # Of its own for each file: two files of a name, and the parts of two packages, are not to be taken for each other.
    module_name = f"timbot_plugin_{path.stem}_{zlib.crc32(str(path).encode()):08x}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} is no Python file.", hint="Give its name an ending: .py")
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
    told, hint = (error.message, error.hint) if isinstance(error, TimbotError) else (f"{error}.", _meant(error))
    return PluginError(f"Plugin '{name}' failed to import: {_own_place(error)}{type(error).__name__}: {told}", hint=hint)


def _meant(error: Exception | SystemExit) -> str:
    """What may have been meant by a name that timbot does not have."""
    missing = _NOT_OURS.match(str(error))
    if missing is None:
        return ""
    public = {name.lower(): name for name in importlib.import_module("timbot").__all__}
    close = difflib.get_close_matches((missing[1] or missing[2]).lower(), public, n=1)
    return f"Did you mean {public[close[0]]}?" if close else "The page on writing plugins tells what there is: docs/plugins.md."


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


def _plugins_of(module: ModuleType, name: str) -> tuple[Plugin, ...]:
    found = [value for value in vars(module).values() if isinstance(value, Plugin)]
    unique = tuple({id(plugin): plugin for plugin in found}.values())
    if not unique:
        raise PluginError(f"'{name}' defines no plugin.", hint='It needs a line like: bot = Plugin("my-plugin")')
    return unique

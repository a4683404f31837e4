"""The JSON Schema of a configuration, for editors: what `timbot schema` prints.

It describes the file before expansion: wherever a number or a choice is needed, `${VAR}` may stand instead.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from timbot.config import shape
from timbot.config.models import Config

Schema = dict[str, Any]
"""JSON Schema is whatever JSON Schema says."""

_EXPANSION: Final[Schema] = {
    "type": "string",
    "pattern": r"\$\{",
    "description": "${VAR}, ${VAR:-default} or ${file:/path}",
}
_NARROW: Final = ("enum", "const", "pattern", "maxLength")
_SCALARS: Final = ("integer", "number", "boolean")
_ANY_SETTINGS: Final[Schema] = {"type": ["object", "null"], "description": "The plugin's settings."}
_NO_SETTINGS: Final[Schema] = {"type": ["object", "null"], "maxProperties": 0, "description": "It has no settings."}


def schema(plugins: Mapping[str, type | None]) -> Schema:
    """The schema, with the settings of these plugins: name -> settings type, or None for a plugin without settings."""
    whole = _polished(Config.model_json_schema(), keep_null=False)
    definitions: Schema = {name: value for name, value in whole.pop("$defs").items() if name not in ("PluginUse", "JsonValue")}
    settings: dict[str, Schema] = {}
    for name, kind in sorted(plugins.items()):
        settings[name] = _settings(name, kind, definitions)
    definitions["PluginUse"] = _plugin_use(settings)
    definitions["Expansion"] = _EXPANSION
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "timbot configuration"}
    return {**head, **whole, "$defs": dict(sorted(definitions.items()))}


def _plugin_use(settings: Mapping[str, Schema]) -> Schema:
    named: list[Schema] = [{"enum": sorted(settings), "description": "A shipped plugin."}] if settings else []
    return {
        "description": "A plugin: its name (a shipped one, an importable module, a .py file beside this one), or "
        "the name with its settings beneath.",
        "anyOf": [
            *named,
            {"type": "string", "minLength": 1},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "properties": dict(settings),
                "additionalProperties": _ANY_SETTINGS,
            },
        ],
    }


def _settings(name: str, kind: type | None, definitions: Schema) -> Schema:
    """The schema of one plugin's settings; what it refers to goes into `definitions`, under the plugin's name."""
    if kind is None:
        return _NO_SETTINGS
    found = _polished(settings_schema(kind, f"{name}."), keep_null=True)
    if "properties" not in found and "$ref" not in found:
        return _ANY_SETTINGS
    for inner, value in found.pop("$defs", {}).items():
        definitions[f"{name}.{inner}"] = value
    if found.get("required"):
        return found
    return {"anyOf": [found, {"type": "null"}], "description": found.get("description", _ANY_SETTINGS["description"])}


def settings_schema(kind: type, prefix: str = "") -> Schema:
    """The plain schema of one settings type; `prefix` goes before the names in its references."""
    try:
        raw = TypeAdapter(kind).json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    except PydanticUserError:  # a type that no schema can describe
        return {}
    _describe(raw, kind)
    return raw


def _polished(node: Schema, *, keep_null: bool) -> Schema:
    """A schema as people want to see it: no made-up titles, unknown keys refused, expansions allowed."""
    done: Schema = {}
    for key, value in node.items():
        if key in ("properties", "$defs"):
            done[key] = {name: _polished(inner, keep_null=keep_null) for name, inner in value.items()}
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            done[key] = [_polished(one, keep_null=keep_null) for one in value if keep_null or one != {"type": "null"}]
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            done[key] = _polished(value, keep_null=keep_null)
        elif key == "description":
            done[key] = "\n\n".join(" ".join(part.split()) for part in value.split("\n\n"))
        elif key != "title" and not (key == "default" and value is None):
            done[key] = value
    if "properties" in done:
        done.setdefault("additionalProperties", False)
    if done.get("type") in _SCALARS or any(key in done for key in _NARROW):
        return _expandable(done)
    if "anyOf" in done:
        flat = [inner for one in done["anyOf"] for inner in (one["anyOf"] if one.keys() == {"anyOf"} else [one])]
        done["anyOf"] = [one for number, one in enumerate(flat) if one not in flat[:number]]
    return {**done.pop("anyOf")[0], **done} if len(done.get("anyOf", ())) == 1 else done


def _expandable(node: Schema) -> Schema:
    outside: Schema = {key: node.pop(key) for key in ("default", "description") if key in node}
    return {"anyOf": [node, {"$ref": "#/$defs/Expansion"}], **outside}


def _describe(raw: Schema, kind: type) -> None:
    """Put in what stands below the fields of dataclasses; models bring their own descriptions."""
    for found in {one.__name__: one for one in _dataclasses(kind)}.values():
        part = raw if found is kind else raw.get("$defs", {}).get(found.__name__, {})
        for name, text in _docstrings(found).items():
            if name in part.get("properties", {}):
                part["properties"][name].setdefault("description", text)


def _dataclasses(kind: object, seen: frozenset[object] = frozenset()) -> Iterator[type]:
    """The dataclasses a type is made of."""
    for member in shape.leaves((kind,)):
        if member in seen:
            continue
        if isinstance(member, type) and dataclasses.is_dataclass(member):
            yield member
        for key in shape.keys((member,)):
            for below in shape.below((member,), (key,)):
                yield from _dataclasses(below, seen | {member})


def _docstrings(kind: type) -> dict[str, str]:
    """Field -> the text below it in the class's source; nothing where there is no source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    texts: dict[str, str] = {}
    for line, below in itertools.pairwise(body):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and isinstance(below, ast.Expr):
            value = below.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                texts[line.target.id] = inspect.cleandoc(value.value)
    return texts

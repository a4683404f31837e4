"""A settings type in words: what `timbot plugins info` shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from timbot.config.schema import Schema, settings_schema


def describe_settings(kind: type | None) -> list[str]:
    """A line for each key: `key: what is needed (default) - what it is for`, those of nested mappings indented below it.

    A kind of mapping that stands in several places, or within itself, is told where it comes first.
    """
    if kind is None:
        return []
    whole = settings_schema(kind)
    return list(_lines(whole, whole.get("$defs", {}), "", set()))


def _lines(node: Schema, definitions: Schema, indent: str, told: set[str]) -> Iterator[str]:
    for name, value in node.get("properties", {}).items():
        if name in node.get("required", ()):
            state = " (needed)"
        else:
            state = f" (default {_shown(value['default'])})" if not isinstance(value.get("default", {}), dict) else ""
        text = " ".join(str(value.get("description", "")).split())
        yield f"{indent}{name}: {_needed(value, definitions)}{state}{f' - {text}' if text else ''}"
        for inner in _mappings(value, definitions, told):
            yield from _lines(inner, definitions, f"{indent}  ", told)


def _needed(node: Schema, definitions: Schema) -> str:
    if "anyOf" in node or "oneOf" in node:
        parts = [_needed(one, definitions) for one in _choices(node) if one != {"type": "null"}]
        return " or ".join(dict.fromkeys(parts))
    if "enum" in node or "const" in node:
        return " or ".join(_shown(one) for one in node.get("enum", [node.get("const")]))
    if "$ref" in node:
        return _needed(_resolved(node, definitions), definitions)
    kind = node.get("type")
    if kind == "array":
        return f"list of: {_needed(node['items'], definitions)}" if isinstance(node.get("items"), dict) else "list"
    if kind == "object" and isinstance(node.get("additionalProperties"), dict):
        return f"mapping of: {_needed(node['additionalProperties'], definitions)}"
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "object": "mapping"}
    return words.get(str(kind), "anything")


def _choices(node: Schema) -> list[Schema]:
    found: list[Schema] = node.get("anyOf") or node.get("oneOf") or [node]
    return found


def _mappings(node: Schema, definitions: Schema, told: set[str]) -> Iterator[Schema]:
    """The mappings with keys of their own that may stand at a key, or in a list or mapping there, and are not told yet."""
    for one in _choices(node):
        reference = str(one.get("$ref", ""))
        if reference in told:
            continue
        told |= {reference} - {""}
        found = _resolved(one, definitions)
        if "properties" in found:
            yield found
        for key in ("items", "additionalProperties"):
            if isinstance(found.get(key), dict):
                yield from _mappings(found[key], definitions, told)


def _resolved(node: Schema, definitions: Schema) -> Schema:
    reference = str(node.get("$ref", ""))
    found: Schema = definitions.get(reference.rpartition("/")[2], {}) if reference else node
    return found


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return f"[{', '.join(_shown(one) for one in value)}]"
    return '""' if value == "" else str(value)

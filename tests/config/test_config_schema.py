"""The JSON Schema: current, complete, and of one mind with the reader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from config_site import ACCOUNT, EXAMPLE, ROOT
from pydantic import BaseModel

from timbot.cli import main
from timbot.config.expand import Expanded, Expander
from timbot.config.reader import read
from timbot.config.schema import schema
from timbot.config.tree import Plain, plain

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    word: str
    """What is looked for,
    in small letters.
    """
    limit: int = 1


@dataclass(frozen=True, slots=True)
class Rules:
    rules: list[Rule] = field(default_factory=list)
    """In their order."""
    by_name: dict[str, Rule | None] = field(default_factory=dict)


class Odd(BaseModel):
    model_config = {"arbitrary_types_allowed": True}
    what: re.Scanner  # type: ignore[name-defined]


def objects(node: object) -> Iterator[Schema]:
    """Every schema of a mapping with keys of its own."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and node["properties"]:
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def fits(value: object, node: Schema, whole: Schema) -> bool:
    """Whether a value fits a schema, for the words that are used here."""
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        return fits(value, whole["$defs"][name], whole)
    known = {"anyOf", "oneOf", "type", "enum", "const", "pattern", "properties", "additionalProperties", "required", "items"}
    known |= {"minimum", "maximum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "minProperties", "maxProperties"}
    known |= {
        "description",
        "default",
        "format",
        "title",
        "$defs",
        "$schema",
        "writeOnly",
        "oneOf",
        "discriminator",
        "examples",
    }
    known |= {"exclusiveMinimum", "maxItems", "uniqueItems", "prefixItems", "propertyNames"}
    assert node.keys() <= known, node.keys() - known
    kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
    types = node.get("type", list(kinds))
    types = [types] if isinstance(types, str) else types
    if not any(
        value is None
        if kind == "null"
        else isinstance(value, kinds[kind]) and (kind == "boolean" or not isinstance(value, bool))  # type: ignore[arg-type]
        for kind in types
    ):
        return value is None and "type" not in node
    choices = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    checks = [not choices or any(fits(value, one, whole) for one in choices)]
    checks.append("oneOf" not in node or sum(fits(value, one, whole) for one in node["oneOf"]) == 1)
    checks.append("enum" not in node or value in node["enum"])
    checks.append("const" not in node or value == node["const"])
    if isinstance(value, str):
        checks.append(bool(re.search(node.get("pattern", ""), value)))
        checks.append(node.get("minLength", 0) <= len(value) <= node.get("maxLength", len(value)))
    elif isinstance(value, int | float):
        checks.append(node.get("minimum", value) <= value <= node.get("maximum", value))
        checks.append(value < node.get("exclusiveMaximum", value + 1))
    elif isinstance(value, list):
        checks.append(len(value) >= node.get("minItems", 0))
        checks += [fits(item, node.get("items", {}), whole) for item in value]
    elif isinstance(value, dict):
        properties, others = node.get("properties", {}), node.get("additionalProperties", True)
        checks.append(node.get("minProperties", 0) <= len(value) <= node.get("maxProperties", len(value)))
        checks.append(all(key in value for key in node.get("required", ())))
        for key, inner in value.items():
            at = properties.get(key, others)
            checks.append(at if isinstance(at, bool) else fits(inner, at, whole))
    return all(checks)


class AsWritten(Expander):
    """Puts nothing in: the schema is about the file as it is written."""

    def expand(self, text: str, key: str) -> Expanded:
        return Expanded(text, whole=False, outside=False)


def written(text: str) -> Plain:
    """What a file holds, by the words of YAML 1.2."""
    root, problems = read(text, "c.yaml", AsWritten(Path(), {}))
    assert root is not None
    assert not problems
    return plain(root)


def accepted(text: str, plugins: dict[str, type | None] | None = None) -> bool:
    whole = schema(plugins or {})
    return fits(written(text), whole, whole)


def test_the_schema_beside_the_example_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """If it is not: timbot schema > config.schema.json."""
    assert main(["schema"]) == 0
    assert (ROOT / "config.schema.json").read_text(encoding="utf-8") == capsys.readouterr().out


def test_every_key_has_a_description() -> None:
    for found in objects(schema({})):
        for name, value in found["properties"].items():
            assert value.get("description"), name


def test_unknown_keys_are_refused_everywhere() -> None:
    for found in objects(schema({"rules": Rules})):
        assert found["additionalProperties"] is False or found.get("maxProperties") == 1


def test_every_reference_leads_somewhere() -> None:
    whole = schema({"rules": Rules, "odd": Odd, "bare": None})
    references = set(re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(whole)))
    assert references == set(whole["$defs"])


def test_the_example_fits() -> None:
    whole = json.loads((ROOT / "config.schema.json").read_text(encoding="utf-8"))
    assert fits(written(EXAMPLE.read_text(encoding="utf-8")), whole, whole)


@pytest.mark.parametrize(
    "text",
    [
        "http: false",
        "loop_guard: ${GUARD}",
        "log: {level: '${LEVEL}', texts: '${TEXTS:-true}'}",
        "grace: 1m30s",
        "grace: 5",
        "grace: ${GRACE}",
        "plugins: [any, some.module, file.py, {any: {what: ever}}, {any: }]",
        "plugins: [rules, {rules: {rules: [{word: a, limit: '${L}'}], by_name: {x: }}}, {rules: }, {bare: {}}]",
        "plugins: [{odd: {what: ever}}]",
    ],
)
def test_what_fits(text: str) -> None:
    assert accepted(f"{ACCOUNT}{text}\n", {"rules": Rules, "odd": Odd, "bare": None})


@pytest.mark.parametrize(
    "text",
    [
        "htpp: false",
        "http: true",
        "loop_guard: x",
        "loop_guard: -1",
        "log: {level: loud}",
        "grace: soon",
        "    nick:",
        "plugins: [5]",
        "plugins: [{a: {}, b: {}}]",
        "plugins: [{rules: {rulez: []}}]",
        "plugins: [{rules: {rules: [{}]}}]",
        "plugins: [{rules: {rules: [{word: a, limit: x}]}}]",
        "plugins: [{bare: {a: 1}}]",
        "plugins: [{needs: }]",
    ],
)
def test_what_does_not(text: str) -> None:
    assert not accepted(f"{ACCOUNT}{text}\n", {"rules": Rules, "bare": None, "needs": Rule})


def test_what_stands_below_a_field_is_its_description() -> None:
    whole = schema({"rules": Rules})
    settings = whole["$defs"]["PluginUse"]["anyOf"][-1]["properties"]["rules"]["anyOf"][0]
    assert settings["properties"]["rules"]["description"] == "In their order."
    assert whole["$defs"]["rules.Rule"]["properties"]["word"]["description"] == "What is looked for, in small letters."
    assert whole["$defs"]["rules.Rule"]["description"] == "One rule."


def test_two_plugins_may_use_the_same_names() -> None:
    other = type("Rule", (BaseModel,), {"__annotations__": {"x": int}})
    outer = type("Outer", (BaseModel,), {"__annotations__": {"rule": other}})
    whole = schema({"a": Rules, "b": outer})
    assert set(whole["$defs"]["a.Rule"]["properties"]) == {"word", "limit"}
    assert set(whole["$defs"]["b.Rule"]["properties"]) == {"x"}

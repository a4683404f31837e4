"""From a tree to a typed value, or to everything that is wrong with it.

Values go through pydantic's strict JSON mode: a number is no text and a text no number, yet lists become tuples, texts
become paths and times. Where a type is a union, pydantic tells why each member does not fit; people are told about the one
that was most likely meant.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from timbot.config import shape, words
from timbot.config.problems import Location
from timbot.config.tree import Node, ScalarNode, at, child, plain
from timbot.redaction import clean

_UNKNOWN: Final = frozenset(("extra_forbidden", "unexpected_keyword_argument"))


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake. `forks`: the union members it was tried as, each with the depth at which the union stands."""

    location: Location
    message: str
    forks: tuple[tuple[int, str], ...] = ()


def validate(kind: Any, node: Node, context: dict[str, Any] | None = None) -> tuple[Any, list[Fault]]:
    """The value of type `kind` (a pydantic model or a dataclass), or None and why not. Unknown keys are mistakes at any depth.

    Numbers that came out of a variable are taken as texts where a text is needed. Raises what pydantic raises for a type
    that it cannot make anything of.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    as_text: set[int] = set()
    while True:
        data = json.dumps(plain(node, as_text))
        try:
            return adapter.validate_json(data, strict=True, extra="forbid", context=context), []
        except ValidationError as error:
            items = error.errors(include_url=False, include_input=False)
        numbers = {id(found) for item in items if (found := _number_for_text(item, node)) is not None} - as_text
        if not numbers:
            faults = [_fault(item, node, (kind,)) for item in items if not _follows(item, items)]
            return None, [fault for fault in _settled(faults) if fault.message]
        as_text |= numbers


def _number_for_text(item: ErrorDetails, root: Node) -> ScalarNode | None:
    """The scalar from outside that should have been a text."""
    if item["type"] not in ("string_type", "path_type"):
        return None
    node = at(root, _trace(item, root)[0])
    return node if isinstance(node, ScalarNode) and node.outside and not isinstance(node.value, str) else None


def _follows(item: ErrorDetails, items: list[ErrorDetails]) -> bool:
    """Whether a list is only too short because entries of it are wrong, which is told anyway."""
    place = item["loc"]
    return item["type"] == "too_short" and any(
        len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in items
    )


def _trace(item: ErrorDetails, root: Node) -> tuple[Location, tuple[tuple[int, str], ...]]:
    """Where an error is in the tree: pydantic's location without the names of union members, and those."""
    real: list[int | str] = []
    forks: list[tuple[int, str]] = []
    node: Node | None = root
    parts = item["loc"]
    for number, part in enumerate(parts, 1):
        last = number == len(parts)
        found = child(node, part)
        if found is not None or (last and item["type"].startswith("missing")):
            real.append(part)
            node = found
        elif not (last and part == "[key]"):
            forks.append((len(real), str(part)))
    return tuple(real), tuple(forks)


def _fault(item: ErrorDetails, root: Node, kinds: shape.Kinds) -> Fault:
    """The fault of an error; without words where the value has been complained about already."""
    location, forks = _trace(item, root)
    node = at(root, location)
    if isinstance(node, ScalarNode) and node.broken:
        return Fault(location, "", forks)
    if item["type"] in _UNKNOWN:
        message = words.unknown_key(str(item["loc"][-1]), shape.below(kinds, item["loc"][:-1]))
    else:
        message = words.explain(item, node, shape.below(kinds, item["loc"]))
    if item["loc"] and item["loc"][-1] == "[key]":
        message = f"as a key {message}"
    return Fault(location, clean(message), forks)


def _settled(faults: list[Fault]) -> list[Fault]:
    """One story for each union: that of the member that fits best, or what all of them need."""
    settled = [fault for fault in faults if not fault.forks]
    unions: dict[Location, dict[str, list[Fault]]] = {}
    for fault in faults:
        if fault.forks:
            (depth, member), *inner = fault.forks
            stories = unions.setdefault(fault.location[:depth], {})
            stories.setdefault(member, []).append(replace(fault, forks=tuple(inner)))
    for location, stories in unions.items():
        told = [_settled(story) for story in stories.values()]
        inside = [story for story in told if any(fault.location != location for fault in story)]
        if inside:
            settled += sorted(inside, key=len)[0]
        else:
            settled.append(Fault(location, words.either([fault.message for story in told for fault in story])))
    return settled

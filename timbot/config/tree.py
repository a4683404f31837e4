"""A YAML file as a tree in which every value knows its place."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from timbot.config.problems import Location

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""A value without places, as JSON knows it."""


class Mark(NamedTuple):
    """A place in the file, both from 1."""

    line: int
    column: int


TOP: Final = Mark(1, 1)


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One value. `text` is what it is spelled as, after expansion."""

    mark: Mark
    value: str | int | float | bool | None
    text: str
    outside: bool = False
    """Whether a variable or a file had part in it."""
    broken: bool = False
    """Whether it has been complained about: what it would be cannot be told."""


@dataclass(frozen=True, slots=True)
class ListNode:
    """Several values."""

    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapNode:
    """Values by key, and where each key stands."""

    mark: Mark
    keys: dict[str, Mark]
    values: dict[str, Node]


Node = ScalarNode | ListNode | MapNode


def child(node: Node | None, part: int | str) -> Node | None:
    """The node under a key or at a position."""
    if isinstance(node, MapNode):
        return node.values.get(str(part))
    if isinstance(node, ListNode) and isinstance(part, int) and 0 <= part < len(node.items):
        return node.items[part]
    return None


def at(node: Node | None, location: Location) -> Node | None:
    """The node at a location."""
    for part in location:
        node = child(node, part)
    return node


def mark_at(node: Node, location: Location) -> Mark:
    """Where a setting stands, its key where it has one; where there is none, what it would be part of."""
    mark, found = node.mark, node
    for part in location:
        below = child(found, part)
        if below is None:
            break
        mark = found.keys[str(part)] if isinstance(found, MapNode) else below.mark
        found = below
    return mark


def plain(node: Node, as_text: Container[int] = ()) -> Plain:
    """The values alone. Scalars whose `id` is in `as_text` as they are spelled."""
    if isinstance(node, MapNode):
        return {key: plain(value, as_text) for key, value in node.values.items()}
    if isinstance(node, ListNode):
        return [plain(item, as_text) for item in node.items]
    return node.text if id(node) in as_text else node.value


def grow(value: object, mark: Mark = TOP) -> Node:
    """A tree for values that stand in no file; all of it at one place."""
    if isinstance(value, Mapping):
        names = {str(key): inner for key, inner in value.items()}
        return MapNode(mark, dict.fromkeys(names, mark), {key: grow(inner, mark) for key, inner in names.items()})
    if isinstance(value, list | tuple):
        return ListNode(mark, tuple(grow(inner, mark) for inner in value))
    scalar: str | int | float | bool | None = value if isinstance(value, str | int | float | None) else str(value)
    return ScalarNode(mark, scalar, str(value))

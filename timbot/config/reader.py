"""From YAML text to a tree. Stricter than YAML where YAML surprises: a key given twice is a mistake, tags and a second
document are refused, and what aliases can blow up is bounded.

It reads the parser's events and builds its own nodes, so depth and size are checked while they grow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import yaml

from timbot.config import syntax
from timbot.config.expand import SECRET_KEYS, Expander, ExpansionError
from timbot.config.problems import Location, Problem, dotted
from timbot.config.scalars import has_half_a_character, resolve
from timbot.config.tree import TOP, ListNode, MapNode, Mark, Node, ScalarNode
from timbot.redaction import register

LONGEST_TEXT: Final = 4 * 1024 * 1024
"""Characters of a configuration."""
DEEPEST: Final = 40
"""Levels of lists and mappings in each other, aliases followed."""
HEAVIEST: Final = 200_000
"""Values in the whole tree, aliases followed; a long text counts as one for each 100 characters."""

_CORE: Final = "tag:yaml.org,2002:"
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}
_PARSER: Final[type] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Enough(Exception):
    """What follows makes no sense any more."""


@dataclass(slots=True)
class _Built:
    """A node, how much it weighs and how deep it goes."""

    node: Node
    weight: int = 1
    depth: int = 0


@dataclass(slots=True)
class _Open:
    """A list or a mapping that is being read."""

    mark: Mark
    anchor: str | None
    mapping: bool
    weight: int = 1
    depth: int = 1
    items: list[Node] = field(default_factory=list)
    keys: dict[str, Mark] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)
    merged: list[MapNode] = field(default_factory=list)
    merges: bool = False
    """Whether `<<` has been there."""
    key: str | None = None
    """The key whose value comes next."""
    key_mark: Mark = TOP
    into: str = "values"
    """What becomes of that value: `values`, `merge`, or `nothing` where the key was a mistake."""


def read(text: str, name: str, expander: Expander) -> tuple[Node | None, list[Problem]]:
    """The tree of a text and what is wrong with it. No tree where the text is no YAML, or holds nothing."""
    text = text.removeprefix("\ufeff")
    reader = _Reader(name, expander)
    if len(text) > LONGEST_TEXT:
        return None, [Problem(name, "", f"this is too long: at most {LONGEST_TEXT // 1024 // 1024} MiB")]
    bad = syntax.unprintable(text)
    if bad is not None:
        return None, [
            reader.problem(bad, "a character that YAML does not allow: take it out, or write it as an escape in quotes")
        ]
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            reader.take(event)
    except _Enough:
        return None, reader.problems
    except yaml.MarkedYAMLError as error:
        return None, [*reader.problems, reader.problem(*syntax.explain(error, text))]
    except (yaml.YAMLError, ValueError):  # the parser's own trouble with characters
        return None, [*reader.problems, Problem(name, "", "this is not YAML")]
    return reader.root, reader.problems


class _Reader:
    """Takes the events one by one."""

    def __init__(self, name: str, expander: Expander) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._name = name
        self._expander = expander
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Built | None] = {}
        self._documents = 0

    def problem(self, mark: Mark, message: str) -> Problem:
        """A problem at a place, with the key that is being read."""
        return Problem(f"{self._name}:{mark.line}:{mark.column}", dotted(self._path()), message)

    def take(self, event: yaml.Event) -> None:
        """One more event."""
        start = event.start_mark
        mark = Mark(start.line + 1, start.column + 1) if start is not None else TOP
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._give_up(mark, "a second document begins here: take out the '---'")
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, mark)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event, mark)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event, mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()

    def _path(self) -> Location:
        parts: list[int | str] = []
        for opened in self._stack:
            if not opened.mapping:
                parts.append(len(opened.items))
            elif opened.key is not None:
                parts.append(opened.key)
        return tuple(parts)

    def _complain(self, mark: Mark, message: str) -> None:
        self.problems.append(self.problem(mark, message))

    def _give_up(self, mark: Mark, message: str) -> None:
        self._complain(mark, message)
        raise _Enough

    # Values

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> None:
        if self._wants_key():
            self._key(event, mark)
            return
        node = self._value(event, mark)
        self._add(_Built(node, 1 + len(node.text) // 100), event.anchor)

    def _value(self, event: yaml.ScalarEvent, mark: Mark) -> ScalarNode:
        tag = event.tag
        quoted = bool(event.style) or tag in ("!", f"{_CORE}str")
        text, outside = event.value, False
        if "${" in text:
            try:
                expanded = self._expander.expand(text, self._nearest_key())
            except ExpansionError as error:
                self._complain(mark, str(error))
                return ScalarNode(mark, None, "", broken=True)
            quoted = quoted or not expanded.whole
            text, outside = expanded.text, expanded.outside
        if self._nearest_key() in SECRET_KEYS:
            register(text)
        if has_half_a_character(text):
            self._complain(mark, "half a character: write the whole one")
            return ScalarNode(mark, None, "", broken=True)
        kind = tag.removeprefix(_CORE) if tag else "str"
        if kind in _KINDS:
            value = resolve(text)
            if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "bool"):
                self._complain(mark, "the value is not what its tag says: take the tag out")
                return ScalarNode(mark, None, "", broken=True)
            return ScalarNode(mark, value, text, outside)
        if kind not in ("str", "!"):
            self._complain(mark, "tags are not used here; a text that begins with '!' needs quotes")
            return ScalarNode(mark, None, "", broken=True)
        return ScalarNode(mark, text if quoted else resolve(text), text, outside)

    def _nearest_key(self) -> str:
        return next((opened.key for opened in reversed(self._stack) if opened.key is not None), "")

    def _alias(self, event: yaml.AliasEvent, mark: Mark) -> None:
        if self._wants_key():
            self._give_up(mark, "a key is a plain word, not an alias; a key that begins with '*' needs quotes")
        anchor = event.anchor or ""
        built = self._anchors.get(anchor)
        if built is None:
            inside = anchor in self._anchors
            told = "this alias stands inside what it stands for" if inside else "there is no such anchor above"
            self._complain(mark, f"{told}; a text that begins with '*' needs quotes")
            built = _Built(ScalarNode(mark, None, "", broken=True))
        self._add(built, None)

    # Lists and mappings

    def _begin(self, event: yaml.CollectionStartEvent, mark: Mark) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        if self._wants_key():
            self._give_up(mark, "a key is a plain word, not a list or a mapping; a text that begins with [ or { needs quotes")
        if len(self._stack) >= DEEPEST:
            self._give_up(mark, f"nested more than {DEEPEST} levels deep")
        if event.tag not in (None, "!", f"{_CORE}map" if mapping else f"{_CORE}seq"):
            self._complain(mark, "tags are not used here; a text that begins with '!' needs quotes")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(mark, event.anchor, mapping))

    def _end(self) -> None:
        done = self._stack.pop()
        node: Node
        if done.mapping:
            for source in done.merged:
                for key, value in source.values.items():
                    if key not in done.values:
                        done.keys[key], done.values[key] = source.keys[key], value
            node = MapNode(done.mark, done.keys, done.values)
        else:
            node = ListNode(done.mark, tuple(done.items))
        self._add(_Built(node, done.weight, done.depth), done.anchor)

    def _wants_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].mapping and self._stack[-1].key is None

    def _key(self, event: yaml.ScalarEvent, mark: Mark) -> None:
        opened, key = self._stack[-1], event.value
        first = opened.keys.get(key)
        opened.key, opened.key_mark, opened.into = key, mark, "values"
        merge = key == "<<" and not event.style
        if merge and not opened.merges:
            opened.into, opened.merges = "merge", True
            return
        if merge or first is not None:
            line = f"; first in line {first.line}" if first else ": write one '<<' with a list of aliases"
            self._complain(mark, f"this key is given twice{line}")
            opened.into = "nothing"
            return
        if "${" in key:
            self._complain(mark, "variables are put into values only, not into keys")
            opened.into = "nothing"
        elif not key or has_half_a_character(key):
            self._complain(mark, "a key must not be empty, nor hold half a character")
            opened.into = "nothing"
        if event.anchor is not None:
            self._anchors[event.anchor] = _Built(ScalarNode(mark, resolve(key), key))

    def _add(self, built: _Built, anchor: str | None) -> None:
        """A finished value takes its place."""
        if anchor is not None:
            self._anchors[anchor] = built
        if not self._stack:
            self.root = built.node
            return
        opened = self._stack[-1]
        opened.weight += built.weight
        opened.depth = max(opened.depth, built.depth + 1)
        if opened.weight > HEAVIEST or opened.depth > DEEPEST:
            self._give_up(opened.mark, "too much in one file, aliases followed")
        if not opened.mapping:
            opened.items.append(built.node)
            return
        if opened.into == "merge":
            self._merge(opened, built.node)
        elif opened.into == "values" and opened.key is not None:
            opened.keys[opened.key], opened.values[opened.key] = opened.key_mark, built.node
        opened.key = None

    def _merge(self, opened: _Open, node: Node) -> None:
        sources = node.items if isinstance(node, ListNode) else (node,)
        for source in sources:
            if isinstance(source, MapNode):
                opened.merged.append(source)
            elif not (isinstance(source, ScalarNode) and source.broken):
                self._complain(opened.key_mark, "'<<' takes in a mapping by its alias, or a list of such aliases")

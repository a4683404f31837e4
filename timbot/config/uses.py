"""The `plugins` lists: a name each, or a name with its settings beneath."""

from __future__ import annotations

from collections.abc import Iterator

from timbot.config.models import PluginUse
from timbot.config.problems import Location
from timbot.config.tree import ListNode, MapNode, Node, ScalarNode, at, plain
from timbot.config.validate import Fault

_NEEDED = "the name of a plugin is needed, or its name with settings beneath: '- name:' and the settings indented under it"


def lists(root: Node) -> Iterator[Location]:
    """Where `plugins` lists are: at the top, and in accounts."""
    places: list[Location] = [("plugins",)]
    accounts = at(root, ("accounts",))
    if isinstance(accounts, ListNode):
        places += [("accounts", number, "plugins") for number in range(len(accounts.items))]
    return (place for place in places if isinstance(at(root, place), ListNode))


def of(root: Node, location: Location) -> tuple[list[PluginUse], list[Fault]]:
    """The uses in the list at this location, and what is wrong with the others."""
    uses: list[PluginUse] = []
    faults: list[Fault] = []
    listing = at(root, location)
    for number, item in enumerate(listing.items if isinstance(listing, ListNode) else ()):
        use = _one(item, (*location, number))
        if isinstance(use, Fault):
            faults.append(use)
        elif use is not None and any(use.name == other.name for other in uses):
            faults.append(Fault(use.location, "this plugin is in the list already"))
        elif use is not None:
            uses.append(use)
    return uses, faults


def _one(item: Node, location: Location) -> PluginUse | Fault | None:
    """One entry; None for one that has been complained about already."""
    if isinstance(item, ScalarNode):
        if item.broken:
            return None
        return PluginUse(item.value, None, location) if isinstance(item.value, str) and item.value else Fault(location, _NEEDED)
    if isinstance(item, ListNode) or len(item.values) != 1:
        return Fault(location, _NEEDED)
    [(name, settings)] = item.values.items()
    if isinstance(settings, MapNode):
        value = plain(settings)
        return PluginUse(name, value if isinstance(value, dict) else None, location)
    if isinstance(settings, ScalarNode) and (settings.broken or settings.value is None):
        return PluginUse(name, None, location)
    return Fault((*location, name), "a mapping of settings is needed: 'key: value' lines, indented under the name")


def lowered(root: Node) -> Node:
    """The tree with each entry of a `plugins` list spelled out, as `PluginUse` has it; wrong entries left out."""
    for location in lists(root):
        root = _replaced(root, location, _spelled(root, location))
    return root


def _spelled(root: Node, location: Location) -> Node:
    listing = at(root, location)
    assert listing is not None
    items: list[Node] = []
    for use in of(root, location)[0]:
        item = at(root, use.location)
        assert item is not None
        mark = item.mark
        values: dict[str, Node] = {
            "name": ScalarNode(mark, use.name, use.name),
            "settings": at(item, (use.name,)) or ScalarNode(mark, None, ""),
            "location": ListNode(mark, tuple(ScalarNode(mark, part, str(part)) for part in use.location)),
        }
        items.append(MapNode(mark, dict.fromkeys(values, mark), values))
    return ListNode(listing.mark, tuple(items))


def _replaced(node: Node, location: Location, new: Node) -> Node:
    if not location:
        return new
    part, *rest = location
    if isinstance(node, MapNode):
        key = str(part)
        return MapNode(node.mark, node.keys, {**node.values, key: _replaced(node.values[key], tuple(rest), new)})
    assert isinstance(node, ListNode)
    items = [_replaced(item, tuple(rest), new) if number == part else item for number, item in enumerate(node.items)]
    return ListNode(node.mark, tuple(items))

"""What can be known of a template before it runs: that all it names is there, and which variables it needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from jinja2 import meta, nodes

from timbot.templating.environment import STEPS_FILTER, weight
from timbot.templating.errors import TemplateError, cure
from timbot.templating.filters import FILTERS, GLOBALS, TESTS
from timbot.templating.limits import MAX_NUMBER

_ALLOWED: Final = frozenset(
    [
        "Add",
        "And",
        "Assign",
        "AssignBlock",
        "Block",
        "Compare",
        "Concat",
        "CondExpr",
        "Const",
        "Dict",
        "Div",
        "Extends",
        "Filter",
        "FloorDiv",
        "For",
        "Getattr",
        "Getitem",
        "If",
        "Include",
        "Keyword",
        "List",
        "Macro",
        "Mod",
        "Mul",
        "Name",
        "Neg",
        "Not",
        "Operand",
        "Or",
        "Output",
        "Pair",
        "Pos",
        "Pow",
        "Slice",
        "Sub",
        "Template",
        "TemplateData",
        "Test",
        "Tuple",
        "With",
        "Call",
        "ExprStmt",
    ]
)
_CURES: Final = {
    "Import": "Use {% include 'name.j2' %}, or put the macro into this template.",
    "FromImport": "Use {% include 'name.j2' %}, or put the macro into this template.",
    "CallBlock": "Give the text to the macro as an argument: {% set text %}...{% endset %}.",
    "FilterBlock": "Write {% set text %}...{% endset %}{{ text | upper }}.",
    "NSRef": "Compute the value before the template, or use select, sum and join.",
}
_WORDS: Final = {"Import": "import", "FromImport": "from ... import", "CallBlock": "call", "FilterBlock": "filter"}
_TAKEN: Final = frozenset(("self", "caller", "varargs", "kwargs"))
_OTHER_GLOBALS: Final = frozenset(("lipsum", "cycler", "joiner", "namespace", "dict"))
_BY_NAME: Final = {"map": FILTERS, "select": TESTS, "reject": TESTS, "selectattr": TESTS, "rejectattr": TESTS}

Places = Mapping[str, tuple[str, int]]
"""For each variable the template and line that first names it."""


class Finding(Exception):
    """A mistake in a tree, by line. `str(error)` says what."""

    def __init__(self, message: str, line: int, hint: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.hint = hint


def check_tree(tree: nodes.Template) -> None:
    """Raises `Finding` for anything a template may not use, or that does not exist."""
    for node in _walk(tree):
        kind = type(node).__name__
        if kind not in _ALLOWED:
            raise Finding(f"'{_WORDS.get(kind, kind)}' is not available in a template.", node.lineno, _CURES.get(kind, ""))
        if isinstance(node, nodes.Filter):
            _check_name("filter", node.name, FILTERS, node.lineno)
            _check_by_name(node)
        elif isinstance(node, nodes.Test):
            _check_name("test", node.name, TESTS, node.lineno)
        elif isinstance(node, nodes.Name):
            _check_variable(node)
        elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise Finding(f"'{node.attr}' is private: a template sees no name that begins with '_'.", node.lineno)
        else:
            _check_other(node)


def _check_other(node: nodes.Node) -> None:
    if isinstance(node, nodes.Call) and (node.dyn_args or node.dyn_kwargs):
        raise Finding("'*' and '**' are not available in a call.", node.lineno, "Name each argument.")
    if isinstance(node, nodes.For) and node.recursive:
        raise Finding("A recursive 'for' is not available.", node.lineno, "Loop within a loop, or use a macro.")
    if isinstance(node, nodes.Const) and isinstance(node.value, int) and not -MAX_NUMBER < node.value < MAX_NUMBER:
        raise Finding("A number is too large.", node.lineno)
    if isinstance(node, nodes.Pair) and not isinstance(node.key, nodes.Const):
        raise Finding("A key within {...} is a literal text or number.", node.lineno)
    if isinstance(node, nodes.Include) and not node.with_context:
        raise Finding("'without context' is not available.", node.lineno, "Leave it out.")
    if isinstance(node, nodes.Include | nodes.Extends):
        name = node.template
        if not isinstance(name, nodes.Const) or not isinstance(name.value, str):
            raise Finding(
                "Which template is included must be known beforehand.", node.lineno, "Write its name: {% include 'name.j2' %}."
            )


def _check_variable(node: nodes.Name) -> None:
    if node.name in _TAKEN:
        raise Finding(f"'{node.name}' is not available in a template.", node.lineno)
    if node.ctx == "load" and node.name in _OTHER_GLOBALS:
        hint = _CURES["NSRef"] if node.name == "namespace" else "Let whoever gives the values give this too."
        raise Finding(f"'{node.name}' is not available in a template.", node.lineno, hint)


def _check_name(what: str, name: str, known: Iterable[str], line: int) -> None:
    if name not in known or name == STEPS_FILTER:
        words = [word for word in known if word.isidentifier()]
        raise Finding(f"There is no {what} '{name}'.", line, cure(name, words, what=f"The {what}s are"))


def _check_by_name(node: nodes.Filter) -> None:
    """`map('upper')` and its like name a filter or test within a text."""
    place = 1 if node.name in ("selectattr", "rejectattr") else 0
    known = _BY_NAME.get(node.name)
    if known is None or len(node.args) <= place:
        return
    named = node.args[place]
    if not isinstance(named, nodes.Const) or not isinstance(named.value, str):
        raise Finding(f"'{node.name}' takes the name of a filter or test as a literal text.", node.lineno)
    _check_name("filter" if known is FILTERS else "test", named.value, known, node.lineno)


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


def guard_loops(tree: nodes.Template) -> None:
    """Let every `for` pay for its items: also for those that its own `if` leaves out."""
    for loop in list(tree.find_all(nodes.For)):
        loop.iter = nodes.Filter(loop.iter, STEPS_FILTER, [], [], None, None, lineno=loop.iter.lineno)
        if loop.test is not None:
            cost = nodes.Const(weight(loop.test), lineno=loop.lineno)
            loop.iter.args.append(cost)


Other = nodes.Include | nodes.Extends


def others(tree: nodes.Template) -> Iterator[tuple[Other, str, frozenset[str]]]:
    """What a template includes and extends, with the name, and the names it gives itself to what it includes there."""
    yield from _others(tree, frozenset())


def _others(node: nodes.Node, given: frozenset[str]) -> Iterator[tuple[Other, str, frozenset[str]]]:
    if isinstance(node, nodes.Include | nodes.Extends) and isinstance(node.template, nodes.Const):
        yield node, str(node.template.value), given
    inside = given | _given(node)
    for name, value in node.iter_fields():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, nodes.Stmt):
                yield from _others(child, inside if name in ("body", "elif_") else given)


def _given(node: nodes.Node) -> set[str]:
    """The names that hold within a statement's body: loop variables, `set`, `with`, arguments, macros."""
    found: set[str] = set()
    if isinstance(node, nodes.For):
        found = {"loop"} | _stored(node.target)
    elif isinstance(node, nodes.With):
        found = {name for target in node.targets for name in _stored(target)}
    elif isinstance(node, nodes.Macro):
        found = {argument.name for argument in node.args}
    for statement in getattr(node, "body", ()):
        if isinstance(statement, nodes.Assign | nodes.AssignBlock):
            found |= _stored(statement.target)
        elif isinstance(statement, nodes.Macro):
            found.add(statement.name)
    return found


def _stored(target: nodes.Node) -> set[str]:
    return {node.name for node in _walk(target) if isinstance(node, nodes.Name)}


def own_variables(tree: nodes.Template, name: str) -> dict[str, tuple[str, int]]:
    """The variables a template takes from outside, each with its first place."""
    wanted = meta.find_undeclared_variables(tree) - set(GLOBALS)
    places: dict[str, tuple[str, int]] = {}
    for node in tree.find_all(nodes.Name):
        if node.name in wanted and node.ctx == "load":
            places.setdefault(node.name, (name, node.lineno))
    return places


def problem(finding: Finding, name: str, place: str) -> TemplateError:
    """The finding as an error of that template."""
    return TemplateError(str(finding), template=name, line=finding.line, place=place, hint=finding.hint)

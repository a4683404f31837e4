"""What makes a handler do something else when it is gone through again, found by reading its source.

A handler that asks may go on in another process, by being gone through again up to its question. It has to come to the same
steps then: the machine's clock and its chance are not the same any more. What it asks for inside `once` is, since that is kept.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_INSTEAD: Final = {
    "time.time": "ctx.now",
    "time.time_ns": "ctx.now",
    "datetime.now": "ctx.now",
    "datetime.utcnow": "ctx.now",
    "datetime.today": "ctx.now",
    "date.today": "ctx.now",
    "uuid.uuid1": "ctx.uuid()",
    "uuid.uuid4": "ctx.uuid()",
    "uuid4": "ctx.uuid()",
    "uuid1": "ctx.uuid()",
    "secrets.token_hex": "ctx.once(...)",
    "secrets.token_urlsafe": "ctx.once(...)",
    "secrets.choice": "ctx.random",
}
"""What depends on when and where it is called, and what a handler has in its place."""

_CHANCE: Final = frozenset(
    {"choice", "choices", "getrandbits", "randbytes", "randint", "random", "randrange", "sample", "shuffle", "uniform"}
)


@dataclass(frozen=True, slots=True)
class Unsteady:
    """A call that comes to something else each time. `line` counts from 1, `column` too."""

    handler: str
    call: str
    instead: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"'{self.handler}' asks, and may be gone through again: '{self.call}' is another then; use '{self.instead}'"


def unsteady_calls(source: str) -> tuple[Unsteady, ...]:
    """Such calls in the functions of a Python source that wait for answers (`.ask(...)`). Raises `SyntaxError`."""
    if ".ask(" not in source:
        return ()
    found = []
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.AsyncFunctionDef) and any(_is_ask(node) for node in _own(function)):
            found += [_unsteady(function.name, call, name) for call, name in _calls(function)]
    return tuple(sorted(found, key=lambda one: (one.line, one.column)))


def _is_ask(node: ast.AST) -> bool:
    return isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and _name(node.value.func).endswith(".ask")


def _calls(function: ast.AsyncFunctionDef) -> Iterator[tuple[ast.Call, str]]:
    for node in _own(function):
        if isinstance(node, ast.Call):
            whole = _name(node.func)
            name = "" if whole.startswith("ctx.") else ".".join(whole.split(".")[-2:])
            if name in _INSTEAD or (name.partition(".")[0] == "random" and name.partition(".")[2] in _CHANCE):
                yield node, name


def _own(function: ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """What stands in a function itself; functions within it may be what `once` calls."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _name(node: ast.expr) -> str:
    """`a.b.c` as it is written; a call or an index on the way is a `?`."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{_name(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else "?"


def _unsteady(handler: str, call: ast.Call, name: str) -> Unsteady:
    return Unsteady(handler, f"{name}()", _INSTEAD.get(name, f"ctx.{name}"), call.lineno, call.col_offset + 1)

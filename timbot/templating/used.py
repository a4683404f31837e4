"""Which templates a plugin's source names, found by reading it, so that each can be checked before anything is sent."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Use:
    """One `Reply.template("name.j2", ...)`. `keywords` are the values it gives, None if it also gives `**others`."""

    name: str
    keywords: frozenset[str] | None
    line: int


@lru_cache(maxsize=256)
def templates_used(source: str) -> tuple[Use, ...]:
    """The calls of `Reply.template` with a literal name in a Python source, in its order. Raises `SyntaxError`.

    `Reply` and `timbot` are followed through `import ... as ...`. A name that is computed cannot be known and is left out.
    The answers are remembered: reading a source takes milliseconds, and the accounts of a process share their plugins.
    """
    tree = ast.parse(source)
    replies, modules = {"Reply"}, {"timbot"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "timbot":
            replies |= {alias.asname for alias in node.names if alias.name == "Reply" and alias.asname}
        elif isinstance(node, ast.Import):
            modules |= {alias.asname for alias in node.names if alias.name == "timbot" and alias.asname}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_template(node.func, replies, modules)]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    return tuple(
        Use(call.args[0].value, _keywords(call), call.lineno)
        for call in calls
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    )


def _is_template(called: ast.expr, replies: set[str], modules: set[str]) -> bool:
    if not isinstance(called, ast.Attribute) or called.attr != "template":
        return False
    owner = called.value
    if isinstance(owner, ast.Name):
        return owner.id in replies
    return (
        isinstance(owner, ast.Attribute)
        and owner.attr == "Reply"
        and isinstance(owner.value, ast.Name)
        and owner.value.id in modules
    )


def _keywords(call: ast.Call) -> frozenset[str] | None:
    names = [keyword.arg for keyword in call.keywords]
    return None if None in names else frozenset(name for name in names if name is not None)

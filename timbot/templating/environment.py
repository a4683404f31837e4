"""Jinja2, narrowed: generated code pays for what it does, and values show templates only what is on the lists.

Jinja's own sandbox keeps a template from reaching Python; it does not keep it from eating the machine. So every operation
that can make much of little goes through `operators`, `filters` or `methods`, and every block of statements begins by paying
for its nodes. Constants are not folded while compiling: that would run the same operations without a budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import BlockReference, Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing, pass_environment

from timbot.templating.errors import cure
from timbot.templating.filters import FILTERS, GLOBALS, TESTS
from timbot.templating.limits import BUDGET, MAX_DEPTH, LimitError, add_text, checked, spend, spend_value
from timbot.templating.methods import NO_MEMBER, Method, member, members
from timbot.templating.operators import calculate, capital, compare, concatenate, cut, kind_of, text

STEPS_FILTER: Final = "loop over"
"""Applied to whatever a `for` goes through; no template can write this name."""

_LOOP: Final = frozenset(
    ["index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem", "depth", "depth0"]
)
_ITERABLE: Final = (list, tuple, dict, set, frozenset, range)
_HIDDEN: Final = ("_loop_vars", "_block_vars")
_CALLABLE: Final = frozenset(GLOBALS.values())


def weight(node: nodes.Node) -> int:
    """Steps of running a statement once, without the blocks in it: those pay for themselves."""
    total = 1 + (len(node.data) // 8 if isinstance(node, nodes.TemplateData) else 0)
    return total + sum(weight(child) for child in node.iter_child_nodes(exclude=("body", "else_")))


class _Generator(CodeGenerator):
    """Writes the calls of the environment where Jinja would write bare Python operators."""

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        statements = list(nodes)
        if statements:
            self.writeline(f"environment.spend({sum(map(weight, statements))})", statements[0])
        super().blockvisit(statements, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        self._tuple("environment.concatenate(", node.nodes, frame)
        self.write(")")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        self._tuple("environment.compare(", [node.expr, *(operand.expr for operand in node.ops)], frame)
        self.write(f", {tuple(operand.op for operand in node.ops)!r})")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        if not isinstance(node.arg, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.cut(")
        self.visit(node.node, frame)
        self.write(", slice(")
        for part in (node.arg.start, node.arg.stop, node.arg.step):
            self.visit(part or nodes.Const(None), frame)
            self.write(", ")
        self.write("))")

    def _tuple(self, before: str, parts: Iterable[nodes.Expr], frame: Frame) -> None:
        self.write(f"{before}(")
        for part in parts:
            self.visit(part, frame)
            self.write(", ")
        self.write(")")


@pass_environment
def _written(environment: jinja2.Environment, value: object) -> str:
    """A value on its way into the output."""
    made = text(value)
    add_text(0, len(made))
    return made


def _loop_over(value: Any, steps: int = 1) -> Iterator[object]:
    if isinstance(value, jinja2.Undefined):
        iter(value)  # raises, and says what is missing
    if not isinstance(value, _ITERABLE):
        raise TypeError(f"'for' goes through a list, not through {kind_of(value)}.")
    for item in value:
        spend(steps)
        yield item


class Missing(jinja2.StrictUndefined):
    """What stands for a value or part that is not there: any use but `default` and `is defined` says so, and what there is."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        value: Any = self._undefined_obj
        name: Any = self._undefined_name
        if self._undefined_hint or value is missing:
            return super()._undefined_message
        if isinstance(value, Sequence) and isinstance(name, int):
            return f"There is no item {name}: there are {len(value)}."
        return f"{capital(kind_of(value))} has no '{name}'. {cure(str(name), members(value), what='It has')}"


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of all templates. `find` gives what `include` and `extends` name; it raises `KeyError`."""

    code_generator_class = _Generator
    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)
    spend = staticmethod(spend)
    concatenate = staticmethod(concatenate)
    compare = staticmethod(compare)
    cut = staticmethod(cut)

    def __init__(self, find: Callable[[str], jinja2.Template]) -> None:
        super().__init__(
            undefined=Missing,
            optimized=False,
            autoescape=False,
            finalize=_written,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=0,
            auto_reload=False,
        )
        self._find = find
        self.filters = {**FILTERS, STEPS_FILTER: _loop_over}
        self.tests = dict(TESTS)
        self.globals = dict(GLOBALS)

    def get_template(
        self,
        name: str | jinja2.Template,
        parent: str | None = None,
        globals: Any = None,  # noqa: A002 - Jinja's name
    ) -> jinja2.Template:
        """What an `include` or `extends` names: compiled already, at load."""
        try:
            return self._find(str(name))
        except KeyError:
            raise jinja2.TemplateNotFound(str(name)) from None

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`; of a mapping the entry, where it has no such method."""
        found = self._member(obj, attribute)
        if found is NO_MEMBER and isinstance(obj, Mapping):
            return self._item(obj, attribute)
        return self.undefined(obj=obj, name=attribute) if found is NO_MEMBER else found

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`; a text that is no key names an attribute."""
        # Filters come here too, once for each dot in attribute='a.b.c'.
        spend(2)
        found = self._item(obj, argument)
        if isinstance(found, jinja2.Undefined) and isinstance(argument, str) and not isinstance(obj, jinja2.Undefined):
            named = self._member(obj, argument)
            return found if named is NO_MEMBER else named
        return found

    def _member(self, obj: Any, name: str) -> object:
        if isinstance(obj, jinja2.Undefined):
            return getattr(obj, name)  # raises, and says what is missing
        if isinstance(obj, LoopContext):
            if name in _LOOP:
                return getattr(obj, name)
            return Method(name, LoopContext.cycle, obj) if name == "cycle" else NO_MEMBER
        if isinstance(obj, Macro | BlockReference | Context):
            return NO_MEMBER
        return member(obj, name)

    def _item(self, obj: Any, key: Any) -> Any:
        if isinstance(obj, Mapping):
            # A tuple within a tuple, many times, takes forever to hash.
            spend_value(key)
            return obj[key] if key in obj else self._nothing(obj, key)
        if isinstance(obj, str | list | tuple | range) and isinstance(key, int):
            try:
                return obj[key]
            except IndexError:
                return self._nothing(obj, key)
        if isinstance(obj, jinja2.Undefined):
            return obj[key]
        return self._nothing(obj, key)

    def _nothing(self, obj: Any, name: Any) -> jinja2.Undefined:
        return self.undefined(obj=obj, name=name)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`left operator right`."""
        return calculate(operator, left, right)

    def is_safe_callable(self, obj: Any) -> bool:
        """Nothing but what a template was given to call."""
        return isinstance(obj, Method | Macro | BlockReference) or obj in _CALLABLE

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - names of arguments are free
        """`obj(...)`: a method on the list, `range`, a macro of the template, or `super`."""
        if isinstance(__obj, jinja2.Undefined):
            return __obj()  # raises, and says what is missing
        if isinstance(__obj, Macro | BlockReference):
            budget = BUDGET.get()
            if budget.depth >= MAX_DEPTH:
                raise LimitError(f"Macros call each other more than {MAX_DEPTH} deep.", "Let the macro end.")
            budget.depth += 1
            try:
                return __context.call(__obj, *args, **kwargs)
            finally:
                budget.depth -= 1
        plain = {name: value for name, value in kwargs.items() if name not in _HIDDEN}
        if isinstance(__obj, Method):
            return __obj.call(args, plain)
        if __self.is_safe_callable(__obj):
            return checked(__obj(*args, **plain))
        raise TypeError(f"A {type(__obj).__name__} cannot be called in a template.")

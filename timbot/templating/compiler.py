"""From source to a compiled template with everything known about it: its variables and what it includes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import jinja2

from timbot.templating.analysis import Finding, Other, check_tree, guard_loops, others, own_variables, problem
from timbot.templating.environment import Sandbox
from timbot.templating.errors import TemplateError
from timbot.templating.limits import MAX_SOURCE, LimitError

if TYPE_CHECKING:
    from timbot.templating.templates import Template

_MAX_CHAIN: Final = 10
"""Templates that include each other, one within the next."""


_MISSING: Final = re.compile(r"'(\w+)' is undefined")


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """Jinja's template, and each variable it needs with the template and line that first names it."""

    source: str
    code: jinja2.Template
    places: Mapping[str, tuple[str, int]]

    def generate(self, values: Mapping[str, object]) -> Iterator[str]:
        """The text, piece by piece."""
        yield from self.code.root_render_func(self.code.new_context(dict(values)))

    def failure(self, error: Exception, template: Template) -> TemplateError:
        """What went wrong while rendering, with the template and line it happened in."""
        name, line = _where(error)
        hint = error.hint if isinstance(error, LimitError) else ""
        message = str(error).rstrip(".").lstrip("_")
        if isinstance(error, jinja2.UndefinedError):
            missing = _MISSING.fullmatch(message)
            hint = f"Give it, or write {{{{ {missing[1]} | default('') }}}}." if missing else ""
        elif isinstance(error, RecursionError):
            message = "The template is nested too deeply"
        elif isinstance(error, MemoryError):
            message = "There is not enough memory for the template"
        elif not isinstance(error, LimitError | TypeError | ValueError | jinja2.TemplateError):
            message = f"{type(error).__name__}: {message}"
        message = message if message.endswith("?") else f"{message}."
        return TemplateError(message, template=name or template.name, line=line, place=template.place, hint=hint)


def _where(error: BaseException) -> tuple[str, int]:
    """The innermost template and line an error passed. Jinja notes in each module of generated code whose it is."""
    name, line = "", 0
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, jinja2.Template):
            name, line = template.name or "", template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return name, line


class Compiler:
    """Compiles files (once each) and texts. `read` gives the source of a file, or raises `TemplateError`."""

    def __init__(self, read: Callable[[str], str]) -> None:
        self._read = read
        self._files: dict[str, Compiled] = {}
        self._failed: dict[str, TemplateError] = {}
        self._open: list[str] = []
        self._environment = Sandbox(lambda name: self._files[name].code)

    def file(self, name: str) -> Compiled:
        """The template of a file. Raises `TemplateError`."""
        if name in self._failed:
            raise self._failed[name]
        if name not in self._files:
            try:
                self._files[name] = self.text(self._read(name), name, "")
            except TemplateError as error:
                self._failed[name] = error
                raise
        return self._files[name]

    def text(self, source: str, name: str, place: str) -> Compiled:
        """The template of a source. Raises `TemplateError`."""
        if len(source) > MAX_SOURCE:
            raise TemplateError(
                f"The template has {len(source):,} characters (at most {MAX_SOURCE:,}).", template=name, place=place
            )
        self._open.append(name)
        try:
            return self._compile(source, name, place)
        except Finding as error:
            raise problem(error, name, place) from None
        except jinja2.TemplateSyntaxError as error:
            message = f"{(error.message or 'There is a mistake').rstrip('.')}."
            raise TemplateError(message, template=name, line=error.lineno, place=place, hint=_cure(message)) from None
        except (RecursionError, MemoryError, SyntaxError) as error:
            message = "The template is nested too deeply."
            raise TemplateError(message, template=name, place=place, hint="Make it simpler.") from error
        except (OverflowError, ValueError) as error:
            raise TemplateError("A number in the template is too long.", template=name, place=place) from error
        finally:
            self._open.pop()

    def _compile(self, source: str, name: str, place: str) -> Compiled:
        tree = self._environment.parse(source, name or None)
        check_tree(tree)
        places = own_variables(tree, name)
        for node, other, given in others(tree):
            for variable, where in self._other(node, other).items():
                if variable not in given:
                    places.setdefault(variable, where)
        guard_loops(tree)
        code = self._environment.compile(tree, name or None, name or place or "template")
        return Compiled(source, jinja2.Template.from_code(self._environment, code, self._environment.globals), places)

    def _other(self, node: Other, name: str) -> Mapping[str, tuple[str, int]]:
        """The variables of an included or extended template."""
        if name in self._open:
            raise Finding(f"'{name}' includes itself.", node.lineno, "Take one of the includes out.")
        if len(self._open) > _MAX_CHAIN:
            raise Finding(f"More than {_MAX_CHAIN} templates include each other.", node.lineno)
        try:
            return self.file(name).places
        except TemplateError as error:
            if error.template:
                raise
            raise Finding(error.message, node.lineno, error.hint) from None


def _cure(message: str) -> str:
    if "Unexpected end of template" in message:
        return "Close what is open: {% endif %}, {% endfor %}."
    if "Encountered unknown tag" in message:
        return "Check the spelling of the word after '{%'."
    return "Write a literal '{{' as {{ '{{' }}."

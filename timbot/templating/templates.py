"""Finding, compiling and rendering templates. All compiling is done while loading; rendering reads no file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from timbot.errors import TimbotError
from timbot.templating.errors import TemplateError, cure
from timbot.templating.field import field_schema, json_schema
from timbot.templating.limits import BUDGET, MAX_OUTPUT, MAX_SOURCE, Budget, LimitError

if TYPE_CHECKING:
    from pydantic_core import core_schema

    from timbot.templating.compiler import Compiled

SUFFIX: Final = ".j2"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Template:
    """A compiled template. It cannot be changed and may be rendered from anywhere, also at the same time."""

    name: str
    """The file's name; empty for a template that stands in the configuration."""
    place: str
    """Where one that stands in the configuration was written, as far as it is known."""
    source: str
    variables: frozenset[str]
    """What `render` must be given: what this template and those it includes or extends name and do not set themselves."""
    _compiled: Compiled = field(default=None)  # type: ignore[assignment]
    _places: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Template({self.name or self.place or self.source[:40]!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> core_schema.CoreSchema:
        """A field without `Variables`: a template that uses none."""
        return field_schema(frozenset())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: object) -> dict[str, object]:
        """What an editor is told."""
        return json_schema(frozenset())

    def render(self, /, **values: object) -> str:
        """The text with these values, without line breaks at its end. Values are data and are never compiled.

        Raises `TemplateError` for a value that is missing or of no use, and where a limit is met: 64 KiB of UTF-8, and about
        100,000 steps (a node of the template run, an item looped over, eight characters made).
        """
        token = BUDGET.set(Budget())
        try:
            size = 0
            chunks: list[str] = []
            for chunk in self._compiled.generate(values):
                size += len(chunk) if chunk.isascii() else len(chunk.encode("utf-8", "surrogatepass"))
                if size > MAX_OUTPUT:
                    raise LimitError(
                        f"The text is too long (at most {MAX_OUTPUT:,} bytes).", "Say less, or cut values with truncate."
                    )
                chunks.append(chunk)
            return "".join(chunks).rstrip("\n")
        except TimbotError:
            raise
        except Exception as error:
            raise self._compiled.failure(error, self) from error
        finally:
            BUDGET.reset(token)

    def check(self, allowed: Iterable[str]) -> None:
        """Raises `TemplateError` for a variable that is not among these names, with its line and the closest of them."""
        names = frozenset(allowed)
        wrong = sorted(self.variables - names, key=lambda name: (self._places[name], name))
        if wrong:
            template, line = self._places[wrong[0]]
            raise TemplateError(
                f"There is no variable '{wrong[0]}' here.",
                template=template,
                line=line,
                place=self.place,
                hint=cure(wrong[0], names, what="The variables are"),
            )


class Templates:
    """The `*.j2` files of some folders (not of folders within them); of two with one name that of the earlier folder counts.

    Files are looked for once, now, and compiled when first asked for. Raises `TemplateError` for a folder that is none.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        from timbot.templating.compiler import Compiler

        self.folders: Final = tuple(folders)
        self._files: dict[str, Path] = {}
        for folder in reversed(self.folders):
            if not folder.is_dir():
                raise TemplateError(f"There is no folder {folder}.", hint="Templates are looked for in folders that exist.")
            self._files.update((file.name, file) for file in folder.glob(f"*{SUFFIX}") if file.is_file())
        self._compiler = Compiler(self._read)
        self._sealed = False

    def seal(self) -> None:
        """Everything is loaded: from now on no text is compiled any more, whoever asks. Files still are."""
        self._sealed = True

    def names(self) -> tuple[str, ...]:
        """The names of all files, sorted."""
        return tuple(sorted(self._files))

    def get(self, name: str) -> Template:
        """The template of this name, compiled. Raises `TemplateError` for an unknown name or a mistake in it."""
        compiled = self._compiler.file(name)
        return Template(name, "", compiled.source, frozenset(compiled.places), compiled, compiled.places)

    def compile(self, source: str, *, place: str = "") -> Template:
        """A template that stands in the configuration at `place`.

        Raises `TemplateError` with the line in it, and always once everything is loaded: what people write is never compiled.
        """
        if self._sealed:
            raise TemplateError(
                "Templates are compiled while the configuration is loaded, and not later.",
                place=place,
                hint="Put the text into a file, or into the settings; what changes is a variable in it.",
            )
        compiled = self._compiler.text(source, "", place)
        return Template("", place, compiled.source, frozenset(compiled.places), compiled, compiled.places)

    def check_all(self) -> list[TemplateError]:
        """Compile every file. Returns what is wrong, one for each file that cannot be used."""
        problems: list[TemplateError] = []
        for name in self.names():
            try:
                self.get(name)
            except TemplateError as error:
                problems.append(error)
        # A mistake in an included file is its own, not also that of every file that includes it.
        return list({str(error): error for error in problems}.values())

    def _read(self, name: str) -> str:
        """The text of a file. Raises `TemplateError`."""
        if name not in self._files:
            raise self._unknown(name)
        try:
            source = self._files[name].read_bytes()[: 4 * MAX_SOURCE + 4].decode("utf-8-sig")
        except OSError as error:
            raise TemplateError(
                f"cannot be read: {error.strerror}.", template=name, hint="Check the file's owner and mode."
            ) from None
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise TemplateError("is not UTF-8.", template=name, line=line, hint="Save the file as UTF-8.") from None
        return source

    def _unknown(self, name: str) -> TemplateError:
        folders = ", ".join(str(folder) for folder in self.folders)
        searched = f"It was looked for in {folders}." if folders else "There is no folder of templates."
        if "/" in name or "\\" in name:
            searched += " A name has no folder in it."
        return TemplateError(f"There is no template '{name}'. {searched}", hint=cure(name, self._files, what="There are"))

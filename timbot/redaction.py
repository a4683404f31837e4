"""The one place where secrets are taken out of what is printed: logs, frames, tracebacks.

Two nets, one behind the other. What is known to be a secret (a secret key, a UserSig, the ticket of a login) is registered
when it is made or received, and found wherever it stands: whole or cut, URL-encoded, in base64, in JSON. What merely looks
like one (a UserSig by its shape, the value behind a name such as `usersig`, `a2`, `Authorization`) is taken out as well,
registered or not.

Whatever prints for people uses `clean` or `clean_value` last. What is meant to be handed out, such as the output of
`timbot usersig`, does not.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
from collections import OrderedDict
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MASK: Final = "***"

LEAST: Final = 6
"""Characters of the shortest secret that is registered: a shorter one would blank ordinary words."""

FRAGMENT: Final = 16
"""Characters of a registered secret in a row that are taken out although the rest of it is missing. (Of its other spellings
only the first ones.)"""

MOST: Final = 1024
"""Secrets that are known at a time. Beyond it those registered longest ago are forgotten."""

DEEPEST: Final = 8
"""Levels of lists and dicts that `clean_value` keeps; what lies deeper is cleaned as one text."""

_WORD: Final = re.compile(r"[A-Za-z0-9*_\-+/=%.~]{6,}")
"""What secrets are made of, in all their spellings. A secret with other characters in it is looked for as it is."""

_PLAIN_WORD: Final = re.compile(r"[A-Za-z0-9*_\-+/=%.~]+")

_OPEN: Final = r"""(?:\\*["']|\\u0022|%22)?"""
_BYTES: Final = """(?:b(?=["']))?"""
_VALUE: Final = r"""(?:(?!\\u0022|%22)[^\s"'\\,;&<>(){}\[\]]){6,}"""
_NAMES: Final = (
    r"(?:secret[_\-]?key|secret|user[_\-]?sig|password|passwd|passphrase|access[_\-]?token|security[_\-]?token|api[_\-]?key|"
    r"private[_\-]?key|auth[_\-]?key|a2[_\-]?key|q-signature|(?<![A-Za-z0-9_\-])(?:a2|sig|sign))"
)
"""Ends of names behind which a secret stands. Nothing is matched before them: a long word would be gone through again and
again."""
_SECRET_NAME: Final = rf"(?i){_NAMES}\Z"
_SHAPES: Final = (
    (("ej", "en", "ea"), r"(?<![A-Za-z0-9])()e[JNA](?:[A-Za-z0-9*_\-+/=]|%2[abdfABDF]|%3[dD]){40,}()"),
    (("authorization",), rf"(?i)(authorization{_OPEN}\s*[:=,]\s*{_BYTES}{_OPEN})[^\r\n\"'\\]+()"),
    (
        ("secret", "sig", "passw", "passphrase", "token", "key", "a2"),
        rf"(?i)({_NAMES}{_OPEN}\s*(?:[:=]|%3a|%3d)\s*{_BYTES}{_OPEN}){_VALUE}()",
    ),
    (("key",), r"(?i)(key[^\n]{0,24}?)(?<![0-9a-z])[0-9a-f]{64}(?![0-9a-z])()"),
)
"""Words of which one is there in small letters if the shape is; the shape, with what is kept before and behind it."""


class _Forms:
    """Every spelling of the registered secrets, found by six of their characters in a row."""

    __slots__ = ("_grams", "_odd", "_secrets", "shortest")

    def __init__(self) -> None:
        self._secrets: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._grams: dict[str, dict[tuple[str, int], None]] = {}
        self._odd: dict[str, None] = {}
        self.shortest = sys.maxsize
        """Characters of the shortest spelling, or of the shortest fragment."""

    def add(self, secret: str) -> None:
        if secret in self._secrets:
            self._secrets.move_to_end(secret)
            return
        forms = tuple(dict.fromkeys(form for form in _spellings(secret) if len(form) >= LEAST))
        self._secrets[secret] = forms
        for form in forms:
            self.shortest = min(self.shortest, len(form), FRAGMENT)
            if not _PLAIN_WORD.fullmatch(form):
                self._odd = dict.fromkeys(sorted((*self._odd, form), key=len, reverse=True))  # or a part would hide a whole
                continue
            for gram, place in _grams_of(form, whole=form is not secret):
                self._grams.setdefault(gram, {})[form, place] = None
        while len(self._secrets) > MOST:
            self._forget(*self._secrets.popitem(last=False))

    def _forget(self, secret: str, forms: tuple[str, ...]) -> None:
        for form in forms:
            self._odd.pop(form, None)
            for gram, place in _grams_of(form, whole=form is not secret):
                places = self._grams.get(gram)
                if places is not None:
                    places.pop((form, place), None)
                    if not places:
                        del self._grams[gram]

    def mask(self, text: str) -> str:
        for form in self._odd:
            if form in text:
                text = text.replace(form, MASK)
        pieces: list[str] = []
        done = 0
        for word in _WORD.finditer(text):
            if word.end() - word.start() >= self.shortest:
                for begin, end in self._found(text, word.start(), word.end()):
                    pieces += (text[done:begin], MASK)
                    done = end
        return "".join([*pieces, text[done:]]) if pieces else text

    def _found(self, text: str, at: int, end: int) -> Iterator[tuple[int, int]]:
        """Where registered secrets, or fragments of them, stand between `at` and `end`."""
        grams, floor = self._grams, at
        while at <= end - LEAST:
            places = grams.get(text[at : at + LEAST])
            found = max((_extent(text, at, floor, form, place) for form, place in places), key=_length) if places else (0, 0)
            if found[1]:
                yield found
                at = floor = found[1]
            else:
                at += 1


def _grams_of(form: str, *, whole: bool) -> Iterator[tuple[str, int]]:
    """The places a spelling is found by: its beginning, and where fragments count too, one place within each."""
    for place in range(0, 1 if whole else len(form) - LEAST + 1, FRAGMENT - LEAST + 1):
        yield form[place : place + LEAST], place


def _extent(text: str, at: int, floor: int, form: str, place: int) -> tuple[int, int]:
    """How far the text agrees with the form around a place where it does; (0, 0) if that is too little to mean it."""
    begin, left = at, place
    while left and begin > floor and text[begin - 1] == form[left - 1]:
        begin, left = begin - 1, left - 1
    end, right = at + LEAST, place + LEAST
    while right < len(form) and end < len(text) and text[end] == form[right]:
        end, right = end + 1, right + 1
    return (begin, end) if end - begin >= min(len(form), FRAGMENT) else (0, 0)


def _length(extent: tuple[int, int]) -> int:
    return extent[1] - extent[0]


def _spellings(secret: str) -> Iterator[str]:
    """The secret as it is, in a URL, in JSON once and twice, in a repr, in base64 wherever it begins there."""
    import base64
    import json
    from urllib.parse import quote, quote_plus

    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted
        yield re.sub("%..", lambda escape: escape[0].lower(), quoted)
    for as_ascii in (True, False):
        once = json.dumps(secret, ensure_ascii=as_ascii)[1:-1]
        yield once
        yield once.replace("/", "\\/")
        yield json.dumps(once, ensure_ascii=as_ascii)[1:-1]
    yield repr(secret)[1:-1]
    yield repr(raw)[2:-1]
    for offset, unsure in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(bytes(offset) + raw).rstrip(b"=")
        whole = (offset + len(raw)) % 3 == 0
        text = encoded[unsure : None if whole else -1].decode()
        yield text
        yield text.translate(str.maketrans("+/", "-_"))


_forms = _Forms()
_lock = threading.RLock()  # a signal handler may log while a log line is being cleaned


def register(secret: str) -> None:
    """From now on this is not printed any more, in any of its spellings. Texts of fewer than six characters are ignored."""
    lines = [line for line in secret.split() if len(line) >= FRAGMENT and _PLAIN_WORD.fullmatch(line)]
    with _lock:
        for part in dict.fromkeys((secret.strip(), *lines)):  # the lines of a key in a file may be printed one by one
            if len(part) >= LEAST:
                _forms.add(part)


def clean(text: str) -> str:
    """The text with `***` in place of every secret in it."""
    if len(text) < LEAST:
        return text
    if len(text) >= _forms.shortest:
        with _lock:
            text = _forms.mask(text)
    small = text.lower()
    for hints, shape in _SHAPES:
        for hint in hints:
            if hint in small:
                text = re.sub(shape, r"\1***\2", text)  # compiled by re when it is first needed, and kept
                break
    return text


def clean_value(value: object, depth: int = DEEPEST) -> object:
    """A value made of texts, numbers, lists and dicts, without secrets; whatever else there is becomes the text of its repr."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return clean(bytes(value).decode("utf-8", "backslashreplace"))
    if depth and isinstance(value, dict):
        return {_key(key): _named(key, clean_value(item, depth - 1)) for key, item in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [clean_value(item, depth - 1) for item in value]
    try:
        return clean(str(value) if isinstance(value, BaseException) else repr(value))
    except Exception as error:  # a broken __repr__ of a plugin's must not cost the line
        return f"<{type(value).__name__}, whose repr fails: {type(error).__name__}>"


def _key(key: object) -> str:
    return clean(key if isinstance(key, str) else repr(key))


def _named(key: object, value: object) -> object:
    """A value whose name alone says that it is a secret."""
    if isinstance(value, str) and isinstance(key, str) and len(value) >= LEAST and _is_secret_name(key):
        return MASK
    return value


@functools.lru_cache(maxsize=512)
def _is_secret_name(name: str) -> bool:
    return re.search(_SECRET_NAME, name) is not None


def format_exception(error: BaseException) -> str:
    """The traceback as Python prints it, without secrets."""
    import traceback

    return clean("".join(traceback.format_exception(error)))


def print_exception(error: BaseException, file: IO[str] | None = None) -> None:
    """Print the traceback, without secrets, to `file` or standard error. Never raises."""
    out = file or sys.stderr
    try:
        text = format_exception(error)
    except Exception as broken:
        text = f"{type(error).__name__}, which cannot be shown: {type(broken).__name__}\n"
    try:
        out.write(text)
        out.flush()
    except UnicodeEncodeError:
        out.write(text.encode("ascii", "backslashreplace").decode())
    except (OSError, ValueError, AttributeError):  # closed, or there is none
        return


def install_hooks() -> Callable[[], None]:
    """Errors that nobody caught, in the main thread, in others and in destructors, are printed without secrets.

    Gives back what undoes it. What Python prints at a crash of its own (faulthandler) holds no values.
    """

    def uncaught(_kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        print_exception(error.with_traceback(trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            _say(f"Exception in thread {args.thread.name if args.thread else '?'}:")
            print_exception(args.exc_value)

    def unraisable(args: Any) -> None:
        if args.exc_value is not None:
            _say(f"{args.err_msg or 'Exception ignored in'}: {args.object!r}")
            print_exception(args.exc_value)

    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable

    def undo() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before

    return undo


def _say(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{clean(text)}\n")

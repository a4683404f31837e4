"""Invite codes: each lets one user in. They are secrets: neither logged nor shown in a message."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, Discriminator, Tag

from timbot import Store
from timbot.fields import one_or_several
from timbot_plugins._shared.words import plain

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{2,62}[a-z0-9]")
_WORD: Final = re.compile(r"[a-z0-9_-]+")
_KEY: Final = "code\n"


def _is_code(text: str) -> str:
    code = plain(text)
    if not _CODE.fullmatch(code):
        raise ValueError("a code is 4 to 64 letters and digits, with - and _ between them")
    return code


def _one_each(codes: tuple[str, ...]) -> tuple[str, ...]:
    if not codes:
        raise ValueError("there are no codes here")
    for number, code in enumerate(codes):
        if code in codes[:number]:
            raise ValueError(f"code number {number + 1} stands there twice; upper and lower case are the same")
    return codes


def _from_text(text: str) -> tuple[str, ...]:
    codes: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        for word in re.split(r"[\s,]+", line.partition("#")[0].strip()):
            try:
                codes += [_is_code(word)] if word else []
            except ValueError as error:
                raise ValueError(f"line {number} of the text: {error}") from None
    return _one_each(tuple(codes))


_List = Annotated[tuple[Annotated[str, AfterValidator(_is_code)], ...], AfterValidator(_one_each)]
_Text = Annotated[str, AfterValidator(_from_text)]

Codes = Annotated[Annotated[_Text, Tag("one")] | Annotated[_List, Tag("several")], Discriminator(one_or_several)]
"""A list of codes, or a text with codes in it, such as that of a file: `${file:codes.txt}`. Read into a tuple."""


def codes_in(wording: str, known: Sequence[str]) -> list[str]:
    """The known codes that stand in a text, in its order."""
    words = [word.strip("-_") for word in _WORD.findall(plain(wording))]
    return [word for word in dict.fromkeys(words) if word in known]


async def is_free(store: Store, code: str, user_id: str) -> bool:
    """Whether the user may use the code: nobody has, or they have themselves."""
    owner: str = await store.get(_KEY + code, user_id)
    return owner == user_id


async def spend(store: Store, code: str, user_id: str) -> bool:
    """Spend the code on the user. False if somebody else was quicker."""
    return await store.claim(_KEY + code, user_id) == user_id

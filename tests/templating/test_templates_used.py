"""Which templates a plugin's source names."""

from __future__ import annotations

import pytest

from timbot.templating import Use, templates_used


def names(*keywords: str) -> frozenset[str]:
    return frozenset(keywords)


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ('Reply.template("a.j2")', [Use("a.j2", names(), 1)]),
        ('\nx = [Reply.template("a.j2", nick=1, day=2)]', [Use("a.j2", names("nick", "day"), 2)]),
        ('timbot.Reply.template("a.j2", x=1)', [Use("a.j2", names("x"), 1)]),
        ('import timbot as t\nt.Reply.template("a.j2")', [Use("a.j2", names(), 2)]),
        ('from timbot import Reply as R\nR.template("a.j2")', [Use("a.j2", names(), 2)]),
        ('Reply.template("a.j2", x=1, **more)', [Use("a.j2", None, 1)]),
        ('Reply.template("a" ".j2")', [Use("a.j2", names(), 1)]),
        ("Reply.template(name)", []),
        ('Reply.template(f"{name}.j2")', []),
        ("Reply.template()", []),
        ('Other.template("a.j2")', []),
        ('other.Reply.template("a.j2")', []),
        ('Reply.other("a.j2")', []),
        ('template("a.j2")', []),
        ('# Reply.template("a.j2")', []),
        (
            'def f():\n  return Reply.template("b.j2")\nReply.template("a.j2")',
            [Use("b.j2", names(), 2), Use("a.j2", names(), 3)],
        ),
        ('Reply.template("a.j2", r=Reply.template("b.j2"))', [Use("a.j2", names("r"), 1), Use("b.j2", names(), 1)]),
    ],
)
def test_found(source: str, uses: list[Use]) -> None:
    assert list(templates_used(source)) == uses

"""A group that is in no list any more: a restarted server, a group left elsewhere."""

from __future__ import annotations

from inbox_values import Box, group, numbers

T = 1_767_571_200


def test_it_begins_anew() -> None:
    inbox = Box()
    inbox.logged_in(T)
    inbox.release()
    assert numbers(inbox.pushed([group(7), group(8)])) == [7, 8]
    inbox.logged_in(T)
    assert inbox.groups_listed([], since=T) == []
    inbox.release()
    assert numbers(inbox.pushed([group(1), group(2)])) == [1, 2]

"""A refusal that a plugin's author meets says what to do about it."""

from __future__ import annotations

import pytest

from timbot.errors import LoginRefused, ServerError
from timbot.im.model.group import GroupType
from timbot.im.model.message import ConversationType
from timbot.testing import World


@pytest.mark.parametrize(("code", "cure"), [(20009, "have to be friends"), (10017, "muted in this group"), (99999, "")])
def test_a_cure_where_there_is_one(code: int, cure: str) -> None:
    error = ServerError("send", code, "no")
    assert cure in error.hint
    assert str(error) == f"send was refused: {code} no. {error.hint}".strip()


def test_a_cure_given_counts() -> None:
    assert ServerError("send", 93000, hint="Do this.").hint == "Do this."
    assert LoginRefused("login", 70001).hint.startswith("The UserSig has expired")


@pytest.mark.parametrize(("kind", "code"), [(ConversationType.C2C, 93000), (ConversationType.GROUP, 80002)])
async def test_a_text_that_is_too_long(kind: ConversationType, code: int) -> None:
    async with World() as world:
        alice = await world.user("alice")
        await alice.client.create_group(GroupType.WORK, "Bob", group_id="bob")
        with pytest.raises(ServerError, match="send a long text in several messages") as caught:
            await alice.client.send_message(alice.client.create_text_message("bob", kind, "x" * 12_288))
        assert caught.value.code == code

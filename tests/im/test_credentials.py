"""Signatures: where they come from, when a new one is asked for, and that nobody ever reads them."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from timbot.im.client import Account
from timbot.im.credentials import Credentials, CredentialsError, Source, from_callable, from_file, from_secret_key, from_text
from timbot.im.exchange import Ticket
from timbot.im.wire import usersig

APP, KEY, NOW = 1400000000, "the-secret-key", 1_767_571_200
SECRET = "eJw-very-secret"


def signed(lifetime: int = 1000, now: int = NOW) -> str:
    return usersig.sign(APP, KEY, "bot", now=now, lifetime=lifetime)


async def get(source: Source, now: float = NOW) -> str:
    return await Credentials("bot", source).get(now)


class TestSources:
    async def test_a_key_makes_a_good_one(self) -> None:
        sig = await get(from_secret_key(APP, KEY, lifetime=60))
        assert usersig.check(sig, sdk_app_id=APP, secret_key=KEY, user_id="bot", now=NOW) == 0
        assert usersig.read(sig).expire == 60

    async def test_a_text_is_itself(self) -> None:
        assert await get(from_text(f"  {SECRET}\n")) == SECRET

    async def test_a_file_is_read_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "sig"
        path.write_text(f"{SECRET}\n")
        credentials = Credentials("bot", from_file(path))
        assert await credentials.get(NOW) == SECRET
        path.write_text("another")
        assert await credentials.get(NOW) == SECRET
        credentials.forget()
        assert await credentials.get(NOW) == "another"

    async def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CredentialsError, match=r"No such file.*sig.*user_sig_file"):
            await get(from_file(tmp_path / "sig"))

    async def test_a_directory_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(CredentialsError, match="directory"):
            await get(from_file(tmp_path))

    async def test_an_empty_file_is_no_signature(self, tmp_path: Path) -> None:
        (tmp_path / "sig").write_text("\n \n")
        with pytest.raises(CredentialsError, match="empty"):
            await get(from_file(tmp_path / "sig"))

    async def test_a_file_that_is_no_text_shows_nothing_of_itself(self, tmp_path: Path) -> None:
        (tmp_path / "sig").write_bytes(SECRET.encode() + b"\xff")
        with pytest.raises(CredentialsError, match="no text") as error:
            await get(from_file(tmp_path / "sig"))
        assert SECRET not in "".join(traceback.format_exception(error.value))

    async def test_a_function_plain_or_async(self) -> None:
        async def later(user: str) -> str:
            return f"sig of {user}"

        assert await get(from_callable(later)) == "sig of bot"
        assert await get(from_callable(lambda user: f"sig of {user}")) == "sig of bot"

    async def test_a_function_that_fails(self) -> None:
        def fail(_user: str) -> str:
            raise LookupError("no such user")

        with pytest.raises(CredentialsError, match="no such user") as error:
            await get(from_callable(fail))
        assert isinstance(error.value.__cause__, LookupError)

    async def test_a_function_that_says_what_is_wrong(self) -> None:
        async def fail(_user: str) -> str:
            raise CredentialsError("the vault is sealed")

        with pytest.raises(CredentialsError, match=r"^the vault is sealed$"):
            await get(from_callable(fail))

    @pytest.mark.parametrize("answer", [None, b"bytes", 7])
    async def test_a_function_that_gives_something_else(self, answer: object) -> None:
        async def later(_user: str) -> object:
            return answer

        for function in (later, lambda _user: answer):
            with pytest.raises(CredentialsError, match="function"):
                await get(from_callable(function))  # type: ignore[arg-type]


class TestCache:
    async def test_it_is_asked_for_once(self) -> None:
        asked: list[str] = []

        def ask(user: str) -> str:
            asked.append(user)
            return signed()

        credentials = Credentials("bot", from_callable(ask))
        assert await credentials.get(NOW) == await credentials.get(NOW + 900)
        assert asked == ["bot"]

    @pytest.mark.parametrize(("age", "renewed"), [(0, False), (899, False), (900, False), (901, True), (5000, True)])
    async def test_below_a_tenth_of_its_life_a_new_one_is_asked_for(self, age: int, renewed: bool) -> None:
        credentials = Credentials("bot", from_secret_key(APP, KEY, lifetime=1000))
        first = await credentials.get(NOW)
        assert (await credentials.get(NOW + age) != first) is renewed

    async def test_one_that_cannot_be_read_is_left_to_the_server(self) -> None:
        credentials = Credentials("bot", from_text(SECRET))
        assert await credentials.get(NOW) == await credentials.get(NOW + 10**9) == SECRET

    async def test_a_failure_is_not_kept(self) -> None:
        answers = ["", SECRET]
        credentials = Credentials("bot", from_callable(lambda _: answers.pop(0)))
        with pytest.raises(CredentialsError):
            await credentials.get(NOW)
        assert await credentials.get(NOW) == SECRET


class TestSilence:
    async def test_nothing_shows_it(self) -> None:
        source = from_text(SECRET)
        credentials = Credentials("bot", source)
        await credentials.get(NOW)
        ticket = Ticket(APP, "bot", usersig=SECRET, a2=SECRET)
        for thing in (credentials, Account(APP, "bot", source), ticket, from_secret_key(APP, SECRET)):
            assert SECRET not in f"{thing!r} {thing}"

    async def test_nor_does_a_session(self) -> None:
        from scripted_server import ScriptedServer, refusal

        server = ScriptedServer()
        async with server.transport:
            server.answers["im_open_status.wslogin"] = refusal(70003)
            session = server.session(from_text(SECRET))
            with pytest.raises(Exception, match="70003") as error:
                await session.start()
            shown = "".join(traceback.format_exception(error.value))
            assert SECRET not in f"{shown} {session!r} {session.ticket!r} {vars(error.value)!r}"

"""What an operator's tools ask a running bot over HTTP: is it well (`/healthz`), what are its figures (`/metrics`).

No answer holds anything about users: accounts are the bot's own, and a reason is a sentence of ours without secrets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from timbot.im.timing import Timing
from timbot.redaction import clean

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from timbot.runtime.metrics import Metrics

SILENCE: Final = 6 * Timing().heartbeat
"""Seconds without a word from the server after which an account is not well. A heartbeat is sent after one sixth of it, and
a connection that does not answer is given up much earlier: that an account is online and hears nothing must not happen."""


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """How an account is.

    `heard_seconds_ago` is None before anything was heard; `waiting` counts events that wait for their turn; `reasons` are
    further things that are wrong, a sentence each; `notes` what will be wrong one day.
    """

    account: str
    connected: bool
    ready: bool
    heard_seconds_ago: float | None = None
    waiting: int = 0
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def deaf(self) -> tuple[str, ...]:
        """What is wrong where it is online and nothing is heard."""
        if self.connected and self.heard_seconds_ago is not None and self.heard_seconds_ago > SILENCE:
            return (f"nothing heard from the server for {self.heard_seconds_ago:.0f} s",)
        return ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that is wrong, in words; nothing if all is well."""
        found = []
        if not self.connected:
            found.append("not connected")
        elif not self.ready:
            found.append("logged in, and still reading what it missed")
        return (*found, *self.deaf, *self.reasons)


@dataclass(frozen=True, slots=True)
class Health:
    """How the process is: its accounts, and what is wrong with all of it (`reasons`, a sentence each). `stuck` is wrong with
    all of it too, and such that a fresh start is the cure."""

    accounts: tuple[AccountHealth, ...]
    reasons: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong anywhere. A process without accounts is not well."""
        wrong = self.reasons or self.stuck or any(account.problems for account in self.accounts)
        return bool(self.accounts) and not wrong

    @property
    def deadlocked(self) -> tuple[str, ...]:
        """What only a fresh start can mend, in words; nothing if there is no such thing."""
        return (*self.stuck, *(f"{account.account}: {reason}" for account in self.accounts for reason in account.deaf))

    def as_json(self) -> dict[str, object]:
        """What `/healthz` answers."""
        accounts = [
            {
                "account": account.account,
                "status": "red" if account.problems else "ok",
                "connected": account.connected,
                "ready": account.ready,
                "heard_seconds_ago": _rounded(account.heard_seconds_ago),
                "waiting": account.waiting,
                "reasons": [clean(reason) for reason in account.problems],
                "notes": [clean(note) for note in account.notes],
            }
            for account in self.accounts
        ]
        reasons = [clean(reason) for reason in (*self.reasons, *self.stuck)]
        if not self.accounts and not reasons:
            reasons.append("no account runs")
        return {"status": "ok" if self.healthy else "red", "reasons": reasons, "accounts": accounts}


class Operations:
    """The HTTP side of a running bot. `health` is asked whenever somebody looks. An async context manager.

    `GET /healthz`: 200 while all is well, else 503, and why. `GET /livez`: what a supervisor may restart for: no answer where
    the loop does not turn, 503 and why where a fresh start would help, else 200. `GET /metrics`: the figures. Port 0 takes a
    free one.
    """

    def __init__(self, host: str, port: int, health: Callable[[], Health], metrics: Metrics) -> None:
        from timbot.runtime.http import HttpServer  # brings the libraries of the server

        self._health = health
        self._metrics = metrics
        self._server = HttpServer(self._application(), host, port)

    @property
    def port(self) -> int:
        """The port it listens on; before `start` the one it was given."""
        return self._server.port

    @property
    def url(self) -> str:
        """What a client of this machine asks: `http://host:port`."""
        return self._server.url

    async def start(self) -> None:
        """Listen. Raises `timbot.runtime.http.HttpError`."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop listening. Idempotent."""
        await self._server.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _application(self) -> Starlette:
        from starlette.applications import Starlette
        from starlette.responses import JSONResponse, PlainTextResponse, Response
        from starlette.routing import Route

        from timbot.runtime.http import SAFE

        async def healthz(_request: Request) -> Response:
            health = self._ask()
            return JSONResponse(health.as_json(), 200 if health.healthy else 503, headers=SAFE)

        async def livez(_request: Request) -> Response:
            wrong = self._ask().deadlocked
            text = "".join(f"{clean(reason)}\n" for reason in wrong) or "ok\n"
            return PlainTextResponse(text, 503 if wrong else 200, headers=SAFE)

        async def figures(_request: Request) -> Response:
            return Response(self._metrics.text(), media_type=self._metrics.content_type, headers=SAFE)

        async def index(_request: Request) -> Response:
            return PlainTextResponse("A timbot. Ask /healthz, /livez or /metrics.\n", headers=SAFE)

        answers: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/healthz": healthz,
            "/livez": livez,
            "/metrics": figures,
            "/": index,
        }
        return Starlette(routes=[Route(path, answer, methods=["GET"]) for path, answer in answers.items()])

    def _ask(self) -> Health:
        try:
            return self._health()
        except Exception as error:  # not to know is not to be well
            return Health((), (f"how it is cannot be told: {type(error).__name__}",))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)

"""What a configuration holds: one model for each mapping of the file, a docstring for each key.

A validator here looks at one value. What several values must agree on is checked in `together`, where a mistake in one
place hides none in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PrivateAttr, SecretStr, field_validator

from timbot.config.duration import Duration
from timbot.config.problems import Location
from timbot.config.words import closest
from timbot.errors import InvalidArgument
from timbot.im.endpoints import SANDBOX_PORT, resolve
from timbot.sandbox.keys import DEFAULT_SDK_APP_ID, LEAST_LENGTH

HTTP_PORT = 8421
"""Where health and metrics are told unless the file says otherwise."""

_ENDPOINTS = ("sandbox", "china", "oversea")

_Name = Annotated[str, Field(min_length=1, max_length=32)]
_Text = Annotated[str, Field(min_length=1)]
_Port = Annotated[int, Field(ge=0, le=65535)]


@dataclass(frozen=True, slots=True)
class PluginUse:
    """One entry of a `plugins` list: the name, the settings beneath it if there are any, and where the entry stands.

    A name that ends in .py is a file, relative to the configuration; others are shipped plugins or importable modules.
    """

    name: str
    settings: Mapping[str, JsonValue] | None = field(default=None, repr=False)
    location: Location = ()


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class AccountConfig(_Model):
    """One service account. Its UserSig is made from the app's secret key, or given.

    At most one of `secret_key_file`, `secret_key`, `user_sig`, `user_sig_file`. Without any, the sandbox signs by itself, and
    elsewhere the variable TIMBOT_SECRET_KEY holds the key.
    """

    user_id: _Name
    """The account's user ID, at most 32 characters."""
    nick: str | None = None
    """The name shown to users; set at login if it is not so already."""
    secret_key_file: Path | None = None
    """A file that holds the app's secret key and nothing else."""
    secret_key: Annotated[SecretStr, Field(min_length=LEAST_LENGTH)] | None = None
    """The app's secret key, by ${VARIABLE} or ${file:/path} only: the key itself does not belong into this file."""
    user_sig: str | None = Field(default=None, min_length=1, repr=False)
    """A UserSig made elsewhere. It expires: user_sig_file can be renewed while the bot runs."""
    user_sig_file: Path | None = None
    """A file that holds a UserSig; read anew whenever one is needed."""
    plugins: tuple[PluginUse, ...] | None = None
    """The plugins of this account, instead of those listed for all."""


class LogConfig(_Model):
    """What is logged, and how it looks."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are written."""
    format: Literal["auto", "text", "json"] = "auto"
    """text for people, json for machines; auto: text on a terminal, json elsewhere."""
    texts: bool = False
    """Whether what people write is logged."""


class HttpConfig(_Model):
    """Where health (/healthz) and metrics (/metrics) are served."""

    host: _Text = "127.0.0.1"
    """The address to listen on. Whoever reaches it can read the metrics."""
    port: _Port = HTTP_PORT
    """The port; 0 takes a free one."""
    oldest_event: Duration = 600.0
    """How old an event may become before health is red; 0: as old as it likes."""


class WatchdogConfig(_Model):
    """What is done when a handler holds the event loop up."""

    warn_after: Annotated[Duration, Field(ge=1)] = 5.0
    """How long the loop may stand still before the log names the handler and the line; at least 1s."""
    exit_after: Annotated[Duration, Field(ge=0)] = 0.0
    """How long before the process exits with 71, for a supervisor to start it again; 0: never."""


class SandboxConfig(_Model):
    """The local TIM server that runs with the bot where the endpoint is `sandbox`."""

    host: _Text = "127.0.0.1"
    """The address to listen on."""
    port: _Port = SANDBOX_PORT
    """The port, of the chat page too; 0 takes a free one."""
    users: tuple[_Name, ...] = ("alice", "bob")
    """People who exist there from the start."""
    group: _Name = "lobby"
    """A Public group of the first account's, where people ask to be let in."""
    page: bool = True
    """Whether the chat page is served."""


class LimitsConfig(_Model):
    """How fast the bots may speak, beyond what the vendor documents."""

    group_share: float = Field(default=0.75, gt=0, le=1)
    """The bot's part of what a group may say in a second, which is 40 messages."""
    c2c: int = Field(default=0, ge=0)
    """Messages a second to one user; 0: no limit."""
    account: int = Field(default=0, ge=0)
    """Messages a second of one account to everybody; 0: no limit."""


class SentencesConfig(_Model):
    """What people are told where no handler has a say. Empty: nothing."""

    ask_timeout: str = "I have not heard from you, so let us leave it at that."
    """A question was not answered in time."""
    ask_cancelled: str = "Let us leave that question."
    """A question was taken back."""
    dialogue_lost: str = "I have lost the thread, sorry. Please begin again."
    """A dialogue cannot go on: its handler is gone, or has changed."""


class Config(_Model):
    """A timbot configuration."""

    endpoint: str = "sandbox"
    """The server: sandbox (a local one, in this process), china, oversea, or a ws:// or wss:// URL."""
    insecure: bool = False
    """Allows ws:// to other machines: signatures and messages cross the network unencrypted."""
    sdk_app_id: int = Field(default=DEFAULT_SDK_APP_ID, ge=1, lt=2**32)
    """The SDKAppID of the app. The sandbox takes the default."""
    accounts: tuple[AccountConfig, ...] = Field(min_length=1)
    """The service accounts that log in."""
    plugins: tuple[PluginUse, ...] = ()
    """What the bots do: the name of a plugin, or its name with its settings beneath. Order counts."""
    bots: tuple[_Text, ...] = ()
    """Other accounts that are machines: they reach only handlers that ask for them."""
    loop_guard: int = Field(default=30, ge=0)
    """Automatic replies a minute in one conversation, then silence; 0: no limit."""
    log: LogConfig = LogConfig()
    """The log, on standard error."""
    state: Path = Path(".timbot")
    """The folder for what must survive a restart, relative to this file. One process each."""
    durability: Literal["full", "relaxed", "off"] = "full"
    """What has happened and is still to be done survives. full: a power failure; relaxed: the end of the process, and is
    faster; off: nothing (what plugins store survives the end of the process)."""
    keep: Duration = 86400.0
    """How long what is done is kept, for a look back."""
    first_login: Literal["none", "unread"] = "none"
    """What a bot that was never here answers. none: nothing of before; unread: what the server lists as unread."""
    stale_after: Duration = 3600.0
    """Messages that come later than this, after a week offline say, are not answered as if they were new."""
    time_limit: Duration = 60.0
    """How long a handler may run; waiting for an answer or the network does not count. 0: as long as it likes."""
    limits: LimitsConfig = LimitsConfig()
    """How fast the bots may speak."""
    sentences: SentencesConfig = SentencesConfig()
    """What people are told where no handler has a say."""
    http: HttpConfig | Literal[False] = HttpConfig()
    """Health and metrics over HTTP; false: neither."""
    grace: Duration = 10.0
    """How long handlers may go on when the process is told to stop."""
    on_kick: Literal["exit", "retry_after"] = "exit"
    """When another login ends ours. exit: the process ends with 75; retry_after: it logs in again after a pause, at most three
    times an hour."""
    retry_after: Annotated[Duration, Field(ge=10)] = 300.0
    """The pause before that login; at least 10s."""
    watchdog: WatchdogConfig | Literal[False] = WatchdogConfig()
    """Watches whether the event loop turns; false: it is not watched."""
    sandbox: SandboxConfig = SandboxConfig()
    """The local server, where the endpoint is sandbox."""
    _files: tuple[Path, ...] = PrivateAttr(default=())

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that `${file:...}` put into it."""
        return self._files

    def taken_from(self, files: Iterable[Path]) -> None:
        """Remember which files were put into it."""
        self._files = tuple(files)

    @field_validator("endpoint")
    @classmethod
    def _is_one(cls, endpoint: str) -> str:
        try:
            resolve(endpoint, insecure=True)
        except InvalidArgument as error:
            close = closest(endpoint, _ENDPOINTS)
            needed = "sandbox, china, oversea, or a ws:// or wss:// URL of host, port and path is needed"
            raise ValueError(f"{needed}; did you mean {close}?" if close else needed) from error
        return endpoint

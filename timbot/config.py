"""The configuration: typed models and the reader that turns a YAML file into them.

Every mistake is reported with file, line, column and key, all of them at once, and an unknown key with the closest right
one.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import ErrorDetails

from timbot.errors import ConfigError, InvalidArgument
from timbot.im.endpoints import SANDBOX_PORT, resolve
from timbot.sandbox.keys import DEFAULT_SDK_APP_ID

_Name = Annotated[str, Field(min_length=1, max_length=32)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AccountConfig(_Model):
    """One service account. Its UserSig is made from the secret key, or given by one of the two others."""

    user_id: _Name
    nick: str | None = None
    """Shown to users; set at login if it is not so already."""
    secret_key_file: Path | None = None
    user_sig: str | None = Field(default=None, repr=False)
    user_sig_file: Path | None = None

    @model_validator(mode="after")
    def _one_source(self) -> AccountConfig:
        given = [name for name in ("secret_key_file", "user_sig", "user_sig_file") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other: give one")
        return self


class SandboxConfig(_Model):
    """The embedded sandbox, where the endpoint is `sandbox`."""

    host: str = "127.0.0.1"
    port: int = Field(default=SANDBOX_PORT, ge=0, le=65535)
    users: list[_Name] = ["alice", "bob"]
    group: _Name = "lobby"
    """A Public group of the first account's, where people ask to be let in."""


class Config(_Model):
    """A whole configuration file."""

    insecure: bool = False
    endpoint: str = "sandbox"
    sdk_app_id: int = Field(default=DEFAULT_SDK_APP_ID, ge=1, lt=2**32)
    accounts: list[AccountConfig] = Field(min_length=1)
    plugins: list[str] = []
    bots: list[str] = []
    loop_guard: int = Field(default=30, ge=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    sandbox: SandboxConfig = SandboxConfig()

    @field_validator("endpoint")
    @classmethod
    def _reachable(cls, endpoint: str, info: ValidationInfo) -> str:
        try:
            resolve(endpoint, insecure=info.data.get("insecure", True))
        except InvalidArgument as error:
            raise ValueError(str(error)) from None
        return endpoint

    @field_validator("accounts")
    @classmethod
    def _once_each(cls, accounts: list[AccountConfig]) -> list[AccountConfig]:
        users = [account.user_id for account in accounts]
        twice = sorted({user for user in users if users.count(user) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} listed twice: one login would kick the other out")
        return accounts


def load(path: Path) -> Config:
    """Read a configuration. Raises `ConfigError` that names every mistake and its place."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.", hint="Check the path.") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text.") from None
    return parse(text, str(path))


def parse(text: str, name: str = "<config>") -> Config:
    """The configuration in a YAML text. Raises `ConfigError`."""
    try:
        root = yaml.compose(text, Loader=_Loader)
        tree = yaml.load(text, Loader=_Loader)  # noqa: S506 - likewise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise ConfigError(f"not YAML: {error.problem or error}.", place=place) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = f"{name}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
        raise ConfigError(f"not YAML: the character {error.character:#x} is not allowed.", place=place) from None
    if not isinstance(tree, dict):
        raise ConfigError("the file holds no settings.", place=name, hint="Begin with 'accounts:'; see config.example.yaml.")
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        lines = [_explain(item, root, name) for item in error.errors()]
        raise ConfigError("\n".join(lines)) from None


class _Loader(yaml.SafeLoader):
    """The safe loader, but a key given twice is a mistake, and so is one that is no plain word; dates are texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - yaml's own way
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A dict; refuses a key given twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is a plain word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key '{key.value}' is given twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_MODELS: Final[dict[str, type[_Model]]] = {"accounts": AccountConfig, "sandbox": SandboxConfig}


def _explain(item: ErrorDetails, root: yaml.Node | None, name: str) -> str:
    """One mistake in one line. Never the value itself: it may be a secret."""
    location, kind = item["loc"], item["type"]
    message = item["msg"].removeprefix("Value error, ")
    node = _node_at(root, location)
    place = f"{name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}" if node else name
    key = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        model = _MODELS.get(str(location[0]), Config) if len(location) > 1 else Config
        close = difflib.get_close_matches(str(location[-1]), model.model_fields, n=1)
        message = f"there is no such key{f'; did you mean {close[0]}?' if close else ''}"
    elif kind == "missing":
        message = "this is needed; see config.example.yaml"
    elif kind == "string_type" and isinstance(item["input"], int | float):
        message += ': put it in quotes, "like this"'
    return f"{place}: {key}: {message}" if key else f"{place}: {message}"


def _node_at(node: yaml.Node | None, location: tuple[int | str, ...]) -> yaml.Node | None:
    """The node of a setting: its key where it has one."""
    found = node
    for part in location:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    found, node = key, value
                    break
            else:
                return found
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node = node.value[part]
        else:
            return found
    return found

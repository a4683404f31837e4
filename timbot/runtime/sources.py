"""Where an account's UserSig comes from."""

from __future__ import annotations

import os
from pathlib import Path

from timbot.config import AccountConfig, Config
from timbot.errors import ConfigError
from timbot.im import credentials
from timbot.sandbox.keys import APP_VARIABLE, app_key


def source_of(config: Config, account: AccountConfig, sandbox_key: str | None, folder: Path) -> credentials.Source:
    """What the account says, else the embedded sandbox's key, else the app's key from the environment.

    Raises `ConfigError` if there is nothing, if a file is not there, or if a key file holds no key.
    """
    app = config.sdk_app_id
    if account.user_sig is not None:
        return credentials.from_text(account.user_sig)
    if account.user_sig_file is not None:
        file = folder / account.user_sig_file
        if not file.is_file():
            raise ConfigError(f"The UserSig file of {account.user_id} is not there: {file}.", hint="Check 'user_sig_file'.")
        return credentials.from_file(file)
    if account.secret_key is not None:
        return credentials.from_secret_key(app, account.secret_key.get_secret_value())
    if account.secret_key_file is not None:
        return credentials.from_secret_key(app, app_key(folder / account.secret_key_file).text)
    if sandbox_key is not None:
        return credentials.from_secret_key(app, sandbox_key)
    if APP_VARIABLE not in os.environ:
        raise ConfigError(
            f"There is nothing to log {account.user_id} in with.",
            hint=f"Give its account a secret_key_file, a user_sig_file or a user_sig, or set {APP_VARIABLE}.",
        )
    return credentials.from_secret_key(app, app_key().text)

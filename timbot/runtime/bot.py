"""`Bot`: a plugin that can run by itself, for a bot in one file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from timbot.errors import PluginError
from timbot.routing.plugin import Plugin


class Bot(Plugin):
    """A plugin with a `run`. Under `timbot run` it is loaded like any other plugin."""

    def run(self, config: str | Path) -> None:
        """Run with the accounts and the endpoint of a configuration file, until SIGINT or SIGTERM.

        The file's own plugins run beside this one. Raises `ConfigError`, `LoginRefused`, `KickedOutError`, and `PluginError`
        when a bot is running already.
        """
        if asyncio._get_running_loop() is not None:
            raise PluginError(
                f"Bot '{self.name}' ({self.place}) runs itself while another bot runs.",
                hint="""Put its run() under: if __name__ == "__main__":""",
            )
        from timbot.redaction import install_hooks
        from timbot.runtime.process import run_file  # loads the configuration's libraries only when something runs

        install_hooks()
        asyncio.run(run_file(Path(config), [self], _announce))


def _announce(text: str) -> None:
    sys.stderr.write(f"{text}\n")

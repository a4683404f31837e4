"""What a person at the terminal is told once everything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timbot.runtime.assembly import Assembly
    from timbot.runtime.demo import EmbeddedSandbox


def banner(assembly: Assembly, embedded: EmbeddedSandbox | None, health: str | None) -> str:
    """Accounts, endpoint, plugins, and how to talk to the bot. `health`: where that is served, if it is."""
    config = assembly.config
    lines = [f"timbot runs {assembly.path}", ""]
    for account in config.accounts:
        names = ", ".join(enabled.plugin.name for enabled in assembly.plugins[account.user_id])
        lines.append(f"  account   {account.user_id}: {names or 'no plugins, so it will say nothing'}")
    lines.append(f"  endpoint  {config.endpoint}" + (f", {embedded.url}" if embedded else f", SDKAppID {config.sdk_app_id}"))
    if health:
        lines.append(f"  health    {health}/healthz")
    lines += [f"  left out  {problem}" for problem in assembly.left_out]
    lines.append("")
    if embedded:
        lines += embedded.how_to_talk()
    lines.append("Stop: Ctrl-C")
    return "\n".join(lines)

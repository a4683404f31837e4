"""The wire front of the sandbox: commands become calls of the domain, its notices become pushes.

One file per noun. Nothing here decides anything a rule of the domain could decide, and nothing here waits.
"""

from __future__ import annotations

from timbot.sandbox.front.desk import Call, Desk, Done
from timbot.sandbox.front.front import Front
from timbot.sandbox.front.pushes import Pushes

__all__ = ["Call", "Desk", "Done", "Front", "Pushes"]

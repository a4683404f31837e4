"""A local TIM server that the official SDK can log in to."""

from __future__ import annotations

from timbot.sandbox.courier import Asked, Courier
from timbot.sandbox.domain import Settings
from timbot.sandbox.hub import Sandbox
from timbot.sandbox.line import Bounds
from timbot.sandbox.observe import Observer

__all__ = ["Asked", "Bounds", "Courier", "Observer", "Sandbox", "Settings"]

"""Patterns that run on what people write: bounded text, and none that may run away.

A person chooses the text, so a pattern that needs seconds for some text lets anybody stop the bot. Python's `re` tries one
way after the other; how many ways there can be is found out while loading (`timbot.patterns.growth`).
"""

from timbot.patterns.errors import PatternError
from timbot.patterns.pattern import MAX_TEXT, Match, Pattern

__all__ = ["MAX_TEXT", "Match", "Pattern", "PatternError"]

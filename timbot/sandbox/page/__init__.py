"""The chat page: what a browser gets from the sandbox at `/`, and a panel that shows what the bot does.

The page is a client like any other: it speaks the protocol over the WebSocket, in JavaScript of its own (`assets/`). What is
here serves it: its files, signatures for the sandbox's own users, and the feed of the panel.
"""

from timbot.sandbox.page.feed import Feed, FeedEntry
from timbot.sandbox.page.page import Page

__all__ = ["Feed", "FeedEntry", "Page"]

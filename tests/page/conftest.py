"""The browser, once for each file, and tabs that are closed and looked at when a test ends.

Not once for all: while Playwright's plain interface runs, no other loop can run in this thread. A file has either tests with
a browser or tests that are coroutines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from page_site import Tab, Town, all_ended, chromium

from timbot.sandbox.page import Feed

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OpenTab = Callable[..., Tab]

CHEAP = ("--disable-gpu", "--in-process-gpu")
"""A process less to start and to talk to: there is no graphics card to drive."""


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """See `NO_WAITS`."""
    monkeypatch.setattr("timbot.sandbox.line.YOUNGEST", 0.0)


@pytest.fixture(scope="module", autouse=True)
def towns() -> Iterator[None]:
    yield
    all_ended()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *CHEAP])
        yield browser
        browser.close()


@pytest.fixture
def town() -> Iterator[Town]:
    with Town(feed=Feed()) as town:
        yield town


@pytest.fixture(scope="module")
def quiet(browser: Browser) -> Iterator[Tab]:
    """A tab of alice's for tests that leave nothing behind, in a town without a bot."""
    with Town(bot=False, feed=Feed()) as town:
        tab = Tab(browser, town).enter("alice")
        yield tab
        tab.context.close()
        assert tab.complaints == []


@pytest.fixture
def tab(browser: Browser, town: Town) -> Iterator[OpenTab]:
    """Opens tabs. None may complain in its console, save with `loud=True`, for tests that cut the network."""
    opened: list[tuple[Tab, bool]] = []

    def open_tab(user: str = "", *, loud: bool = False, **options: Any) -> Tab:
        tab = Tab(browser, town, **options)
        opened.append((tab, loud))
        return tab.enter(user) if user else tab

    yield open_tab
    for tab, _ in opened:
        tab.context.close()
    assert [tab.complaints for tab, loud in opened if not loud and tab.complaints] == []

"""A picture on its way from one page to another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from page_site import Tab, png
from playwright.sync_api import expect

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.real_time


def test_a_picture_goes_from_one_page_to_the_other(tab: OpenTab, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(png(320, 200))
    alice, bob = tab("alice").open("bob"), tab("bob").open("alice")
    alice.page.get_by_label("Pictures").set_input_files(picture)
    expect(alice.find(".message.mine .way")).to_have_text("· read")
    shown = bob.find(".message.theirs img")
    expect(shown).to_have_attribute("alt", "Image, 320 by 200")
    shown.evaluate("(image) => image.decode()")
    assert shown.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [320, 200]
    bob.page.get_by_role("button", name="Image, 320 by 200").click()
    expect(bob.page.get_by_role("dialog").locator("img")).to_be_visible()
    bob.page.get_by_role("dialog").get_by_role("button", name="Close").click()


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_picture_can_be_pasted_and_dropped(tab: OpenTab, way: str) -> None:
    alice = tab("alice").open("bob")
    alice.page.evaluate(
        """async ([bytes, way]) => {
            const data = new DataTransfer()
            data.items.add(new File([new Uint8Array(bytes)], 'a.png', {type: 'image/png'}))
            const field = document.querySelector('.composer textarea')
            const event = way === 'paste'
                ? new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})
                : new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})
            field.dispatchEvent(event)
        }""",
        [list(png()), way],
    )
    expect(alice.find(".message.mine .way")).to_have_text("· sent")
    expect(alice.find(".message.mine img")).to_have_count(1)


def test_what_is_no_picture_is_refused_before_it_is_sent(tab: OpenTab) -> None:
    alice = tab("alice").open("bob")
    field = alice.page.get_by_label("Pictures")
    field.set_input_files({"name": "a.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"})
    expect(alice.find(".toast")).to_contain_text("not a picture that can be sent")
    field.set_input_files({"name": "b.png", "mimeType": "image/png", "buffer": b"not one"})
    expect(alice.find(".toast").last).to_contain_text("cannot be read as a picture")
    expect(alice.find(".message")).to_have_count(0)


def test_a_broken_upload_can_be_tried_again(tab: OpenTab) -> None:
    alice = tab("alice", loud=True).open("bob")
    alice.page.route("**/files/put/*", lambda route: route.abort())
    alice.page.get_by_label("Pictures").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": png()})
    expect(alice.find(".failure")).to_contain_text("The upload broke off.")
    alice.page.unroute("**/files/put/*")
    alice.page.get_by_role("button", name="Send again").click()
    expect(alice.find(".message.mine .way")).to_have_text("· sent")

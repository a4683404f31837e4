"""Uploads: the permit, the PUT, and the file it becomes."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from page_site import Town, png

from timbot.im.wire.elements import ImageElem, ImageInfo, open_element, seal_element
from timbot.sandbox.files import ANY, IMAGE, LARGEST, PERMITS, VIDEO, FileRefused, Files
from timbot.sandbox.front.files import with_sizes
from timbot.sandbox.pictures import Picture, look


def jpeg(width: int, height: int) -> bytes:
    exif = b"\xff\xe1" + struct.pack(">H", 40_000) + bytes(39_998)
    frame = b"\xff\xc2" + struct.pack(">HBHH", 11, 8, height, width) + bytes(4)
    return b"\xff\xd8" + exif + b"\xff\xff\xd8" + frame


def webp(kind: bytes, body: bytes) -> bytes:
    return b"RIFF" + bytes(4) + b"WEBP" + kind + bytes(4) + body


HEADERS = {
    "png": (png(300, 200), Picture("png", 300, 200)),
    "gif": (b"GIF89a" + struct.pack("<HH", 300, 200) + bytes(20), Picture("gif", 300, 200)),
    "jpeg": (jpeg(300, 200), Picture("jpeg", 300, 200)),
    "bmp": (b"BM" + bytes(16) + struct.pack("<ii", 300, -200) + bytes(8), Picture("bmp", 300, 200)),
    "webp lossy": (webp(b"VP8 ", bytes(6) + struct.pack("<HH", 300, 200) + bytes(8)), Picture("webp", 300, 200)),
    "webp lossless": (webp(b"VP8L", b"\x2f" + struct.pack("<I", 299 | 199 << 14) + bytes(8)), Picture("webp", 300, 200)),
    "webp extended": (webp(b"VP8X", bytes(4) + b"\x2b\x01\x00\xc7\x00\x00" + bytes(4)), Picture("webp", 300, 200)),
    "cut off": (b"\x89PNG\r\n\x1a\n\x00", Picture("png", 0, 0)),
    "jpeg without end": (b"\xff\xd8\xff\xe1\xff\xff", Picture("jpeg", 0, 0)),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_picture_is_measured_by_its_header(name: str) -> None:
    content, picture = HEADERS[name]
    assert look(io.BytesIO(content)) == picture


@pytest.mark.parametrize("content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"RIFF0000WAVE"])
def test_what_is_no_picture_is_none(content: bytes) -> None:
    assert look(io.BytesIO(content)) is None


# The store


class Time:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def files(time: Time) -> Iterator[Files]:
    files = Files(time, quota=1000)
    files.open()
    yield files
    files.close()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def put(files: Files, content: bytes, kind: int = ANY) -> str:
    permit = files.permit(kind)
    await files.take(permit.token, None, chunks(content))
    return permit.name


async def refused(files: Files, content: bytes, kind: int = ANY, *, length: int | None = None) -> int:
    permit = files.permit(kind)
    with pytest.raises(FileRefused) as no:
        await files.take(permit.token, length, chunks(content))
    return no.value.status


async def test_an_upload_is_kept_under_a_name_of_the_servers_own(files: Files) -> None:
    name = await put(files, b"hello")
    found = files.find(name)
    assert found is not None
    assert (found.path.read_bytes(), found.size, found.picture) == (b"hello", 5, None)
    assert len(name) == 32


async def test_a_folder_that_somebody_has_tidied_away_is_made_anew(files: Files) -> None:
    assert files._folder is not None
    shutil.rmtree(files._folder)
    found = files.find(await put(files, b"hello"))
    assert found is not None
    assert found.path.read_bytes() == b"hello"


async def test_a_permit_is_good_once_and_for_a_while(files: Files, time: Time) -> None:
    permit = files.permit(ANY)
    await files.take(permit.token, None, chunks(b"a"))
    with pytest.raises(FileRefused, match="not, or no longer"):
        await files.take(permit.token, None, chunks(b"b"))
    late = files.permit(ANY, 10)
    time.now += 11
    with pytest.raises(FileRefused, match="not, or no longer"):
        await files.take(late.token, None, chunks(b"c"))


async def test_limits_are_kept(files: Files) -> None:
    assert await refused(files, b"x" * 1001) == 413
    assert await refused(files, b"x", length=LARGEST[ANY] + 1) == 413
    assert await refused(files, b"") == 400
    assert await refused(files, b"<svg/>", IMAGE) == 415
    assert await refused(files, b"no video", VIDEO) == 415
    with pytest.raises(FileRefused):
        files.permit(7)
    assert files.size == 0


async def test_a_refused_upload_leaves_nothing_on_the_disk(files: Files) -> None:
    name = await put(files, b"kept")
    kept = files.find(name)
    assert kept is not None
    assert await refused(files, b"x" * 1001) == 413
    assert [path for path in kept.path.parent.iterdir() if path.suffix != ".lock"] == [kept.path]


async def test_beyond_the_quota_the_oldest_goes(files: Files) -> None:
    names = [await put(files, b"x" * 400) for _ in range(3)]
    assert [files.find(name) is not None for name in names] == [False, True, True]
    assert files.size == 800


async def test_what_is_on_its_way_counts_too(files: Files) -> None:
    """Many uploads at a time stay within the quota together: the oldest file goes, then an upload is refused."""
    old = await put(files, b"x" * 300)
    going_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 600
        await going_on.wait()

    first = asyncio.create_task(files.take(files.permit(ANY).token, None, slow()))
    await asyncio.sleep(1)
    assert files.find(old) is not None
    second = await put(files, b"x" * 300)
    assert files.find(old) is None
    assert await refused(files, b"x" * 600) == 503
    going_on.set()
    await first
    assert files.find(second) is not None
    assert files.size == 900


def test_what_a_killed_server_left_is_swept_away_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left, young, strange = (tmp_path / name for name in ("timbot-files-left", "timbot-files-young", "other"))
    for folder in (left, young, strange):
        folder.mkdir()
        (folder / "file").write_bytes(b"x")
    running = Files(lambda: 0.0)
    running.open()
    (busy,) = set(tmp_path.iterdir()) - {left, young, strange}
    for folder in (left, strange, busy):
        os.utime(folder, (1, 1))
    link = tmp_path / "timbot-files-link"
    link.symlink_to(strange, target_is_directory=True)
    following = Files(lambda: 0.0)
    following.open()
    following.close()
    assert set(tmp_path.iterdir()) == {young, strange, busy, link}
    assert (strange / "file").exists()
    running.close()


async def test_files_grow_old(files: Files, time: Time) -> None:
    name = await put(files, b"old")
    time.now += 7 * 86_400 + 1
    files.permit(ANY)
    assert files.find(name) is None


async def test_permits_are_bounded(files: Files) -> None:
    for _ in range(PERMITS):
        files.permit(ANY)
    with pytest.raises(FileRefused) as no:
        files.permit(ANY)
    assert no.value.status == 429


async def test_many_small_files_are_bounded(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timbot.sandbox.files.FILES", 3)
    names = [await put(files, b"x") for _ in range(5)]
    assert [files.find(name) is not None for name in names] == [False, False, True, True, True]


async def test_closing_deletes_everything(files: Files) -> None:
    name = await put(files, b"x")
    found = files.find(name)
    assert found is not None
    files.close()
    assert not found.path.parent.exists()
    with pytest.raises(FileRefused):
        files.permit(ANY)


async def test_a_picture_without_measures_gets_them(files: Files) -> None:
    name = await put(files, png(30, 20), IMAGE)
    url = f"https://127.0.0.1:8420/files/{name}"
    known = ImageInfo(type=1, width=5, height=5, size=1, url=url)
    blank = ImageInfo(type=2, width=0, height=0, size=0, url=f"{url}?imageView2/3/w/720/h/720")
    other = ImageInfo(type=3, url="https://elsewhere.example/files/none")
    element = seal_element(ImageElem(image_info_array=[known, blank, other], uuid="u", image_format=3))
    (sized,) = with_sizes([element], files)
    image = open_element(sized)
    assert isinstance(image, ImageElem)
    first, second, third = image.image_info_array
    assert (first, third) == (known, other)
    assert (second.width, second.height, second.size) == (30, 20, len(png(30, 20)))


# Over HTTP


@pytest.fixture(scope="module")
def door() -> Iterator[Town]:
    with Town(bot=False) as town:
        yield town


@pytest.mark.real_time
def test_a_download_is_an_attachment_that_can_run_nothing(door: Town) -> None:
    page = b"<script>alert(1)</script>"
    permit = door.do(lambda: door.sandbox.files.permit(ANY))
    assert door.http("PUT", f"/files/put/{permit.token}", page, {"Content-Type": "text/html"})[0] == 200
    status, headers, body = door.http("GET", f"/files/{permit.name}")
    assert (status, body) == (200, page)
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"


@pytest.mark.real_time
@pytest.mark.parametrize(
    "path", ["/files/", "/files/..%2f..%2fetc%2fpasswd", "/files/" + "0" * 32, "/page/assets/..%2fsite.py"]
)
def test_a_name_that_is_none_leads_nowhere(door: Town, path: str) -> None:
    assert door.http("GET", path)[0] == 404


@pytest.mark.real_time
def test_an_upload_without_a_permit_or_too_large_is_refused(door: Town) -> None:
    assert door.http("PUT", "/files/put/none", b"x")[0] == 403
    permit = door.do(lambda: door.sandbox.files.permit(IMAGE))
    status, _, _ = door.http("PUT", f"/files/put/{permit.token}", b"", {"Content-Length": str(LARGEST[IMAGE] + 1)})
    assert status == 413


@pytest.mark.real_time
def test_a_page_of_another_port_may_upload_and_one_of_another_host_may_not(door: Town) -> None:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    status, headers, _ = door.http("OPTIONS", "/files/put/x", None, {"Origin": "http://localhost:3000", **asked})
    assert (status, headers["access-control-allow-origin"]) == (204, "http://localhost:3000")
    assert "PUT" in headers["access-control-allow-methods"]
    status, headers, _ = door.http("OPTIONS", "/files/put/x", None, {"Origin": "http://evil.example", **asked})
    assert (status, "access-control-allow-origin" in headers) == (403, False)

"""Uploads and downloads over HTTP: the PUT that a permit leads to, and the file it becomes.

What somebody uploaded is never shown as a page of this server: it comes as an attachment, of a type that was looked at and
not believed, and with a policy that lets nothing run.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from timbot.sandbox.files import FileRefused, Files
from timbot.sandbox.front.files import GET_PATH, PUT_PATH

_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Connection": "close",
}


def file_routes(files: Files) -> list[Route]:
    """The routes."""

    async def put(request: Request) -> Response:
        headers = _open_to(request)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        said = request.headers.get("content-length", "")
        length = int(said) if said.isascii() and said.isdigit() and len(said) < 19 else None
        try:
            await files.take(request.path_params["token"], length, request.stream())
        except FileRefused as no:
            return PlainTextResponse(no.reason, no.status, headers=headers)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody hears it
        return Response(status_code=200, headers=headers)

    async def get(request: Request) -> Response:
        headers = _open_to(request)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        name = request.path_params["name"]
        file = files.find(name)
        if file is None:
            return PlainTextResponse("There is no such file, or not any more.", 404, headers=headers)
        kind = f"image/{file.picture.format}" if file.picture else "application/octet-stream"
        shown = f"{name}.{file.picture.format}" if file.picture else name
        headers["Cache-Control"] = "private, max-age=3600"
        return FileResponse(file.path, headers=headers, media_type=kind, filename=shown, content_disposition_type="attachment")

    return [
        Route(PUT_PATH + "{token}", put, methods=["PUT", "OPTIONS"]),
        Route(GET_PATH + "{name}", get, methods=["GET", "HEAD", "OPTIONS"]),
    ]


def _open_to(request: Request) -> dict[str, str]:
    """Headers of every answer. A page of another port of this machine, where somebody develops with an SDK, may read them:
    `Origin` was checked at the door."""
    headers = {**_SAFE, "Cache-Control": "no-store", "Vary": "Origin"}
    origin = request.headers.get("origin")
    if origin:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Methods"] = "GET, HEAD, PUT"
        headers["Access-Control-Allow-Headers"] = request.headers.get("access-control-request-headers", "content-type")
    return headers

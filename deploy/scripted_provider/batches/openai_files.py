"""OpenAI's files, as far as batches need them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
from aiohttp import BodyPartReader, web

from deploy.scripted_provider.call import Wire
from deploy.scripted_provider.wires import FORMATS

LARGEST_BYTES = 200 * 1_048_576
_SHORTEST_SECONDS, _LONGEST_SECONDS = 3_600, 2_592_000


def openai_refusal(status: int, message: str, *, code: str | None = None) -> web.Response:
    """An error in OpenAI's form."""
    kind = "invalid_request_error"
    body = FORMATS[Wire.OPENAI].error(status, kind=kind, message=message, code=code)
    return web.Response(status=status, body=body, content_type="application/json")


@dataclass(slots=True, kw_only=True)
class ScriptedFile:
    id: str
    content: bytes
    purpose: str
    filename: str
    expires_after_seconds: int | None = None
    created_at: int = field(default_factory=lambda: int(time.time()))

    def told(self) -> dict[str, Any]:
        seconds = self.expires_after_seconds
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created_at,
            "expires_at": None if seconds is None else self.created_at + seconds,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }


class OpenAIFiles:
    """Takes files, gives their content back, forgets them."""

    def __init__(self) -> None:
        self._files: dict[str, ScriptedFile] = {}
        self._numbers = count(1)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/files", self._upload),
            web.get("/v1/files/{id}", self._show),
            web.get("/v1/files/{id}/content", self._content),
            web.delete("/v1/files/{id}", self._delete),
        ]

    def get(self, file_id: str) -> ScriptedFile | None:
        return self._files.get(file_id)

    def keep(self, content: bytes, *, purpose: str, filename: str) -> ScriptedFile:
        file_id = f"file-scripted{next(self._numbers)}"
        kept = ScriptedFile(id=file_id, content=content, purpose=purpose, filename=filename)
        self._files[file_id] = kept
        return kept

    def clear(self) -> None:
        self._files.clear()

    async def _upload(self, request: web.Request) -> web.Response:
        try:
            fields, names = await _parts_of(request)
        except (ValueError, AssertionError):
            return openai_refusal(400, "Could not parse multipart form.")
        if "file" not in fields or not names.get("file"):
            return openai_refusal(400, "'file' is a required property")
        purpose = fields.get("purpose", b"").decode("utf-8", "replace")
        if purpose != "batch":
            return openai_refusal(400, f"'{purpose}' is not one of ['batch'] - 'purpose'")
        if len(fields["file"]) > LARGEST_BYTES:
            return openai_refusal(413, "The file is larger than 200 MB.")
        seconds = fields.get("expires_after[seconds]")
        kept = self.keep(fields["file"], purpose=purpose, filename=names["file"])
        if seconds is not None:
            if not _is_lifetime(seconds) or fields.get("expires_after[anchor]") != b"created_at":
                return openai_refusal(400, "expires_after: anchor created_at, 3600 to 2592000 s")
            kept.expires_after_seconds = int(seconds)
        return web.json_response(kept.told())

    async def _show(self, request: web.Request) -> web.Response:
        kept = self.get(request.match_info["id"])
        return _no_file(request) if kept is None else web.json_response(kept.told())

    async def _content(self, request: web.Request) -> web.Response:
        kept = self.get(request.match_info["id"])
        if kept is None:
            return _no_file(request)
        return web.Response(body=kept.content, content_type="application/octet-stream")

    async def _delete(self, request: web.Request) -> web.Response:
        kept = self._files.pop(request.match_info["id"], None)
        if kept is None:
            return _no_file(request)
        body = msgspec.json.encode({"id": kept.id, "object": "file", "deleted": True})
        return web.Response(body=body, content_type="application/json")


async def _parts_of(request: web.Request) -> tuple[dict[str, bytes], dict[str, str]]:
    """What each field holds, and how its file was called. Raises ValueError."""
    fields: dict[str, bytes] = {}
    names: dict[str, str] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise ValueError("a part without a name")
        fields[part.name] = bytes(await part.read(decode=False))
        names[part.name] = part.filename or ""
    return fields, names


def _is_lifetime(seconds: bytes) -> bool:
    return seconds.isdigit() and _SHORTEST_SECONDS <= int(seconds) <= _LONGEST_SECONDS


def _no_file(request: web.Request) -> web.Response:
    return openai_refusal(404, f"No such File object: {request.match_info['id']}")

"""Batches of a door, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import aiohttp
import msgspec

from shared.errors import InvalidRequest, Unavailable
from shared.surfaces.refused_by_door import refuse

_CONNECT_SECONDS: Final = 5.0
_PIECE_BYTES: Final = 262_144
_Batch = dict[str, Any]


class BatchesOfDoor:
    """One HTTP session with one door; close it by leaving its context.

    Everything raises Unavailable where nobody answers, and RefusedByDoor where the door says no.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def upload(self, path: Path) -> str:
        """Send a file of requests; its id. Raises InvalidRequest where it cannot be read."""
        try:
            file = path.open("rb")
        except OSError as error:
            raise InvalidRequest(
                f"{path} cannot be read: {error.strerror}. Check the path."
            ) from error
        with file:
            form = aiohttp.FormData()
            form.add_field("purpose", "batch")
            form.add_field("file", file, filename=path.name)
            made = await self._ask("POST", "/v1/files", data=form)
        return str(made["id"])

    async def create(self, file_id: str, *, endpoint: str, window: str) -> _Batch:
        """Ask for the batch of a file."""
        body = {"input_file_id": file_id, "endpoint": endpoint, "completion_window": window}
        return await self._ask("POST", "/v1/batches", json=body)

    async def find(self, batch_id: str) -> _Batch:
        """One of them."""
        return await self._ask("GET", f"/v1/batches/{_named(batch_id)}")

    async def cancel(self, batch_id: str) -> _Batch:
        """Begin nothing more of it."""
        return await self._ask("POST", f"/v1/batches/{_named(batch_id)}/cancel")

    async def cancel_line(self, batch_id: str, custom_id: str) -> _Batch:
        """Answer nothing to one of its lines."""
        path = f"/v1/batches/{_named(batch_id)}/lines/cancel"
        return await self._ask("POST", path, json={"custom_id": custom_id})

    async def newest(self, limit: int) -> list[_Batch]:
        """As many as are wanted, the newest first."""
        found: list[_Batch] = []
        while len(found) < limit:
            behind = f"&after={found[-1]['id']}" if found else ""
            size = min(100, limit - len(found))
            page = await self._ask("GET", f"/v1/batches?limit={size}{behind}")
            found += page["data"]
            if not page["has_more"]:
                break
        return found

    async def save(self, batch_id: str, kind: str, out: BinaryIO) -> int:
        """Write the lines of `output` or `errors` that there are by now, and say how many; raises
        Unavailable where they end too early."""
        lines = 0
        async for piece in self._pieces(f"/v1/batches/{_named(batch_id)}/{kind}"):
            out.write(piece)
            lines += piece.count(b"\n")
        return lines

    async def _pieces(self, path: str) -> AsyncIterator[bytes]:
        try:
            async with self._opened().get(f"{self._url}{path}") as response:
                await refuse(response)
                async for piece in response.content.iter_chunked(_PIECE_BYTES):
                    yield piece
        except aiohttp.ClientError as error:
            raise self._unavailable() from error

    async def _ask(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        try:
            async with self._opened().request(method, f"{self._url}{path}", **sent) as response:
                await refuse(response)
                answer: dict[str, Any] = msgspec.json.decode(await response.read())
                return answer
        except aiohttp.ClientError as error:
            raise self._unavailable() from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("enter the door's context first")
        return self._session

    def _unavailable(self) -> Unavailable:
        return Unavailable(
            f"{self._url} does not answer, or not to the end: start Forebay with `forebay up`, or "
            "set FOREBAY_URL."
        )


def _named(batch_id: str) -> str:
    """Raises InvalidRequest for what is no id of a batch: it is a part of a path."""
    if not batch_id.replace("_", "").isalnum() or not batch_id.isascii():
        raise InvalidRequest(f"'{batch_id[:64]}' is no id of a batch. See: forebay batch list")
    return batch_id

"""A producer that speaks HTTP to the door and looks at every header and event."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import aiohttp
import msgspec

from deploy.cli.send.result import text_of
from shared.costs.price import TokenCount

_PATIENCE_SECONDS: Final = 30.0
_MODEL: Final = {"model": "scripted"}


@dataclass(frozen=True, slots=True)
class Heard:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The answer's text; empty when there is none."""
        return text_of(self.body) or ""

    @property
    def state(self) -> str:
        """The response's state; an HTTP error has none."""
        return str(self.body.get("status", f"HTTP {self.status}"))

    @property
    def cost(self) -> Decimal:
        """US dollars that the response cost; nothing where that is unknown."""
        return Decimal((self.body.get("cost") or {}).get("amount", 0))

    @property
    def usage(self) -> TokenCount:
        """Tokens as the provider counted them."""
        usage = self.body["usage"]
        return TokenCount(usage["input_tokens"], usage["output_tokens"])

    @property
    def turn(self) -> dict[str, Any]:
        """How the answer came about, as far as there is something to tell."""
        return self.body.get("turn") or {}


class Visitor:
    """Asks with one key, the same model where it names no other, and wants an answer of its own.

    The session is its owner's.
    """

    def __init__(
        self, session: aiohttp.ClientSession, url: str, key: str, *, shares_answers: bool = False
    ) -> None:
        self._session = session
        self._door = url
        self._key = key
        self._url = f"{url}/v1/responses"
        self._headers = {"Authorization": f"Bearer {key}"}
        if not shares_answers:
            self._headers["Cache-Control"] = "no-store"

    def sharing_answers(self) -> Visitor:
        """The same producer, content with an answer that somebody else was given."""
        return Visitor(self._session, self._door, self._key, shares_answers=True)

    async def post(
        self,
        text: str | list[dict[str, Any]],
        *,
        key: str | None = None,
        deadline_seconds: float | None = None,
        **fields: object,
    ) -> Heard:
        """POST /v1/responses with a text or a whole conversation, under an idempotency key and
        with a deadline if given.
        """
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        if deadline_seconds is not None:
            headers["X-Forebay-Deadline"] = str(deadline_seconds)
        body = {**_MODEL, "input": text, **fields}
        async with self._session.post(self._url, json=body, headers=headers) as response:
            return await _heard(response)

    async def get(self, response_id: str, *, wait_seconds: int = 0) -> Heard:
        """GET /v1/responses/{id}; with `wait_seconds` a long poll."""
        headers = self._headers | ({"Prefer": f"wait={wait_seconds}"} if wait_seconds else {})
        url = f"{self._url}/{response_id}"
        async with self._session.get(url, headers=headers) as response:
            return await _heard(response)

    async def cancel(self, response_id: str) -> Heard:
        """POST /v1/responses/{id}/cancel."""
        return await self._ask("POST", f"responses/{response_id}/cancel")

    async def upload(self, lines: Sequence[object], *, name: str) -> Heard:
        """POST /v1/files with one JSON line each, for a batch."""
        form = aiohttp.FormData({"purpose": "batch"})
        content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        form.add_field("file", content, filename=name)
        return await self._ask("POST", "files", data=form)

    async def lines_of(self, file_id: str) -> list[dict[str, Any]]:
        """GET /v1/files/{id}/content, as JSON lines."""
        url = f"{self._door}/v1/files/{file_id}/content"
        async with self._session.get(url, headers=self._headers) as response:
            return [msgspec.json.decode(line) for line in (await response.read()).splitlines()]

    async def begin_batch(self, file_id: str, *, window: str = "2m") -> Heard:
        """POST /v1/batches for lines of /v1/responses. Within minutes they are calls, and no
        provider has them as a batch of its own.
        """
        asked = {"endpoint": "/v1/responses", "completion_window": window}
        return await self._ask("POST", "batches", json={"input_file_id": file_id, **asked})

    async def batch(self, batch_id: str) -> Heard:
        """GET /v1/batches/{id}."""
        return await self._ask("GET", f"batches/{batch_id}")

    async def cancel_batch(self, batch_id: str) -> Heard:
        """POST /v1/batches/{id}/cancel."""
        return await self._ask("POST", f"batches/{batch_id}/cancel")

    async def cancel_line(self, batch_id: str, custom_id: str) -> Heard:
        """POST /v1/batches/{id}/lines/cancel."""
        path = f"batches/{batch_id}/lines/cancel"
        return await self._ask("POST", path, json={"custom_id": custom_id})

    async def begin_conversation(self) -> Heard:
        """POST /v1/conversations with nothing in it yet."""
        return await self._ask("POST", "conversations", json={})

    async def conversation_items(self, conversation_id: str) -> Heard:
        """GET /v1/conversations/{id}/items."""
        return await self._ask("GET", f"conversations/{conversation_id}/items")

    async def search(self, question: str, **fields: object) -> Heard:
        """POST /v1/search."""
        return await self._ask("POST", "search", json={"query": question, **fields})

    async def _ask(self, method: str, path: str, **content: Any) -> Heard:
        url = f"{self._door}/v1/{path}"
        async with self._session.request(method, url, headers=self._headers, **content) as response:
            return await _heard(response)

    async def stream(self, text: str, **fields: object) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a streamed answer. Leaving early cuts the connection."""
        body = {**_MODEL, "input": text, "stream": True, **fields}
        request = self._session.post(self._url, json=body, headers=self._headers)
        async with aclosing(_events(request)) as events:
            async for event in events:
                yield event

    async def resume(self, response_id: str, *, after: int) -> AsyncGenerator[dict[str, Any], None]:
        """The events after number `after`, on a new connection."""
        url = f"{self._url}/{response_id}?stream=true&starting_after={after}"
        request = self._session.get(url, headers=self._headers)
        async with aclosing(_events(request)) as events:
            async for event in events:
                yield event


def open_session() -> aiohttp.ClientSession:
    """One that never waits for ever."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=_PATIENCE_SECONDS),
        connector=aiohttp.TCPConnector(limit=0),
    )


async def _heard(response: aiohttp.ClientResponse) -> Heard:
    raw = await response.read()
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        body = {}
    return Heard(response.status, response.headers, body if isinstance(body, dict) else {})


async def _events(
    request: AbstractAsyncContextManager[aiohttp.ClientResponse],
) -> AsyncGenerator[dict[str, Any], None]:
    async with request as response:
        async for line in response.content:
            if line.startswith(b"data: {"):
                yield msgspec.json.decode(line[6:])

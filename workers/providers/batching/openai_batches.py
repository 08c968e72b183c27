"""OpenAI's batches: a file of lines goes up, two files come down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final
from uuid import uuid4

import msgspec

from shared.settings.providers import ProviderSettings
from workers.providers.batching.batch_http import BatchHttp, as_path
from workers.providers.batching.batch_provider import (
    BatchedRequest,
    BatchLook,
    BatchResult,
    ProviderBatchState,
)
from workers.providers.openai_compatible import CHAT_COMPLETIONS
from workers.providers.outcome import Declined
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.loose_json import elements, mapping, number_in, text_in

_ENDPOINT: Final = "/v1/chat/completions"
_KEPT_SECONDS: Final = 3 * 86_400
"""Of the file of requests; after that the provider forgets it by itself."""
_KEY: Final = "forebay"
_PAGES: Final = 10
_PAGE: Final = 100
_STATES: Final = {
    "failed": ProviderBatchState.FAILED,
    "completed": ProviderBatchState.ENDED,
    "expired": ProviderBatchState.ENDED,
    "cancelled": ProviderBatchState.ENDED,
}
_UNRUN: Final = frozenset({"batch_expired", "batch_cancelled"})


class OpenAIBatchProvider:
    """Knows its batches again by their metadata: one whose creation was not answered is found."""

    def __init__(self, settings: ProviderSettings, connections: ProviderConnections) -> None:
        self._http = BatchHttp(CHAT_COMPLETIONS, settings, connections)
        self.name = settings.name
        self.model_for = self._http.model_for
        self.read = self._http.read

    def request(self, prompt: Prompt, custom_id: str) -> BatchedRequest | Declined:
        body = self._http.body_of(prompt)
        if isinstance(body, Declined):
            return body
        line = {"custom_id": custom_id, "method": "POST", "url": _ENDPOINT, "body": body}
        return BatchedRequest(custom_id, msgspec.json.encode(line))

    async def submit(self, requests: Sequence[BatchedRequest], *, key: str) -> str:
        file_id = await self._upload(b"\n".join(request.line for request in requests))
        asked = {
            "input_file_id": file_id,
            "endpoint": _ENDPOINT,
            "completion_window": "24h",
            "metadata": {_KEY: key},
        }
        batch = await self._http.ask("POST", "/batches", msgspec.json.encode(asked))
        return self._id_in(batch)

    async def find(self, key: str) -> str | None:
        after = ""
        for _ in range(_PAGES):
            page = await self._http.ask("GET", f"/batches?limit={_PAGE}{after}")
            batches = [mapping(each) for each in elements(page.get("data"))]
            for batch in batches:
                if mapping(batch.get("metadata")).get(_KEY) == key:
                    return self._id_in(batch)
            if not batches or page.get("has_more") is not True:
                return None
            after = f"&after={as_path(self._id_in(batches[-1]))}"
        return None

    async def look(self, batch_id: str) -> BatchLook:
        batch = await self._batch(batch_id)
        counts = mapping(batch.get("request_counts"))
        faults = elements(mapping(batch.get("errors")).get("data"))
        said = [text_in(mapping(fault).get("message")) for fault in faults[:3]]
        status = text_in(batch.get("status"))
        return BatchLook(
            state=_STATES.get(status, ProviderBatchState.RUNNING),
            completed=number_in(counts.get("completed")) or 0,
            failed=number_in(counts.get("failed")) or 0,
            reason=" ".join(filter(None, said)) or ("" if status == "completed" else status),
        )

    async def results(self, batch_id: str) -> AsyncIterator[BatchResult]:
        batch = await self._batch(batch_id)
        for name in ("output_file_id", "error_file_id"):
            if file_id := text_in(batch.get(name)):
                path = f"/files/{as_path(file_id)}/content"
                async for line in self._http.lines(path):
                    yield self._result(line)

    async def cancel(self, batch_id: str) -> None:
        await self._http.ask("POST", f"/batches/{as_path(batch_id)}/cancel")

    def _result(self, line: Mapping[str, object]) -> BatchResult:
        custom_id = text_in(line.get("custom_id"))
        response, error = mapping(line.get("response")), mapping(line.get("error"))
        if not response:
            code = text_in(error.get("code"))
            if code in _UNRUN:
                return BatchResult(custom_id=custom_id, unrun=code)
            return BatchResult(custom_id=custom_id, error=self._http.failure(error))
        body, status = mapping(response.get("body")), number_in(response.get("status_code"))
        if status is not None and 200 <= status < 300:
            return BatchResult(custom_id=custom_id, body=body)
        return BatchResult(custom_id=custom_id, error=self._http.failure(body, status=status))

    async def _batch(self, batch_id: str) -> Mapping[str, object]:
        return await self._http.ask("GET", f"/batches/{as_path(batch_id)}")

    async def _upload(self, lines: bytes) -> str:
        boundary = uuid4().hex
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        file = await self._http.ask("POST", "/files", _form(lines, boundary), headers=kind)
        return self._id_in(file)

    def _id_in(self, told: Mapping[str, object]) -> str:
        identifier = text_in(told.get("id"))
        if not identifier:
            raise self._http.malformed("an object without an id")
        return identifier


def _form(lines: bytes, boundary: str) -> bytes:
    """The file behind its fields: a server may read them before it takes the file."""
    fields = {
        "purpose": "batch",
        "expires_after[anchor]": "created_at",
        "expires_after[seconds]": str(_KEPT_SECONDS),
    }
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    file = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="batch.jsonl"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    )
    return b"".join((head.encode(), file.encode(), lines, f"\r\n--{boundary}--\r\n".encode()))

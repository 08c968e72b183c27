"""Anthropic's message batches: requests go up in one body, results come down as lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import msgspec

from shared.settings.providers import ProviderSettings
from workers.providers.anthropic import MESSAGES
from workers.providers.batching.batch_http import BatchHttp, as_path
from workers.providers.batching.batch_provider import (
    BatchedRequest,
    BatchLook,
    BatchResult,
    ProviderBatchState,
)
from workers.providers.outcome import Declined
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.loose_json import mapping, number_in, text_in

_PATH: Final = "/messages/batches"
_UNRUN: Final = frozenset({"canceled", "expired"})


class AnthropicBatchProvider:
    """Its API takes nothing along by which a batch is known again: one whose creation was not
    answered is lost, and its items are asked anew."""

    def __init__(self, settings: ProviderSettings, connections: ProviderConnections) -> None:
        self._http = BatchHttp(MESSAGES, settings, connections)
        self.name = settings.name
        self.model_for = self._http.model_for
        self.read = self._http.read

    def request(self, prompt: Prompt, custom_id: str) -> BatchedRequest | Declined:
        params = self._http.body_of(prompt)
        if isinstance(params, Declined):
            return params
        line = msgspec.json.encode({"custom_id": custom_id, "params": params})
        return BatchedRequest(custom_id, line)

    async def submit(
        self,
        requests: Sequence[BatchedRequest],
        *,
        key: str,  # noqa: ARG002
    ) -> str:
        lines = b",".join(request.line for request in requests)
        batch = await self._http.ask("POST", _PATH, b'{"requests":[%b]}' % lines)
        identifier = text_in(batch.get("id"))
        if not identifier:
            raise self._http.malformed("a batch without an id")
        return identifier

    async def find(self, key: str) -> str | None:  # noqa: ARG002
        return None

    async def look(self, batch_id: str) -> BatchLook:
        batch = await self._http.ask("GET", f"{_PATH}/{as_path(batch_id)}")
        counts = mapping(batch.get("request_counts"))
        has_ended = batch.get("processing_status") == "ended"
        number = {name: number_in(counts.get(name)) or 0 for name in counts}
        unrun = [f"{number[name]} {name}" for name in sorted(_UNRUN) if number.get(name)]
        return BatchLook(
            state=ProviderBatchState.ENDED if has_ended else ProviderBatchState.RUNNING,
            completed=number.get("succeeded", 0),
            failed=number.get("errored", 0),
            reason=", ".join(unrun),
        )

    async def results(self, batch_id: str) -> AsyncIterator[BatchResult]:
        async for line in self._http.lines(f"{_PATH}/{as_path(batch_id)}/results"):
            yield self._result(line)

    async def cancel(self, batch_id: str) -> None:
        await self._http.ask("POST", f"{_PATH}/{as_path(batch_id)}/cancel")

    def _result(self, line: Mapping[str, object]) -> BatchResult:
        custom_id, result = text_in(line.get("custom_id")), mapping(line.get("result"))
        kind = text_in(result.get("type"))
        if kind == "succeeded":
            return BatchResult(custom_id=custom_id, body=mapping(result.get("message")))
        if kind in _UNRUN:
            return BatchResult(custom_id=custom_id, unrun=kind)
        return BatchResult(custom_id=custom_id, error=self._http.failure(result.get("error")))

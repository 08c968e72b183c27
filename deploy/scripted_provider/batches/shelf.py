"""All batches of a scripted provider, and how their items are run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from msgspec.structs import replace

from deploy.scripted_provider.answering import reply_to
from deploy.scripted_provider.batches.batch_script import BatchScript
from deploy.scripted_provider.batches.scripted_batch import (
    BatchItem,
    ItemFate,
    ItemResult,
    ScriptedBatch,
)
from deploy.scripted_provider.behaviour import ERRORS, Behaviour, Kind
from deploy.scripted_provider.call import CallLog, Ending, ScriptedCall, Wire
from deploy.scripted_provider.script import Script
from deploy.scripted_provider.wires import FORMATS, call_of, decoded_object, fault_in

_TIER = "batch"
_TOLD_TIERS = {Wire.ANTHROPIC: "batch", Wire.OPENAI: "default"}
"""OpenAI's answers do not say that they were served by a batch."""
_STREAMED = "Streaming is not supported in a batch."


class BatchShelf:
    """Each item is a call like any other to the script and to the log, which names its batch."""

    def __init__(self, script: Script, calls: CallLog) -> None:
        self.script = BatchScript()
        self._answers = script
        self._calls = calls
        self._batches: dict[str, ScriptedBatch] = {}
        self._numbers = count(1)

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_scripted{next(self._numbers)}"

    def add(self, batch: ScriptedBatch) -> None:
        """Take it; it fails where its script, or the limit of what is enqueued, says so."""
        enqueued = sum(each.enqueued_tokens for each in self._batches.values())
        self._batches[batch.id] = batch
        limit = batch.behaviour.enqueued_limit_tokens
        if limit is not None and enqueued + batch.tokens > limit:
            batch.about["errors"] = [_over_the_limit(limit)]
            batch.fail()
        elif batch.behaviour.fails is not None:
            batch.about["errors"] = [_error("batch_failed", batch.behaviour.fails)]
            batch.fail()

    def looked_at(self, batch_id: str, wire: Wire) -> ScriptedBatch | None:
        """The batch as it is by now."""
        batch = self._batches.get(batch_id)
        if batch is None or batch.about["wire"] not in _KIN[wire]:
            return None
        batch.look(lambda item: self._run(item, batch))
        return batch

    def newest_first(self, wire: Wire) -> Iterator[ScriptedBatch]:
        for batch_id in reversed([*self._batches]):
            if batch := self.looked_at(batch_id, wire):
                yield batch

    def end_all(self) -> None:
        """Those under way have ended at the next look, whatever the script said."""
        for batch in self._batches.values():
            batch.is_told_to_end = True

    def clear(self) -> None:
        self.script.clear()
        self._batches.clear()

    def _run(self, item: BatchItem, batch: ScriptedBatch) -> ItemResult:
        wire: Wire = batch.about["wire"]
        body = decoded_object(item.body, wire)
        fault = body if isinstance(body, str) else fault_in(body, wire)
        if item.body.get("stream"):
            fault = _STREAMED
        if isinstance(body, str) or fault:
            return _errored(item, wire, 400, "invalid_request_error", str(fault), None)
        call = replace(call_of(body, wire, {}), batch=batch.id, service_tier=_TIER)
        behaviour = self._answers.behaviour_for(call, body)
        call.behaviour = behaviour.kind
        self._calls.begin(call)
        self._calls.end(call, Ending.SERVED)
        return _result(item, call, behaviour, body, number=self._calls.count)


_KIN = {
    Wire.OPENAI: {Wire.OPENAI, Wire.EMBEDDINGS},
    Wire.ANTHROPIC: {Wire.ANTHROPIC},
    Wire.EMBEDDINGS: {Wire.OPENAI, Wire.EMBEDDINGS},
}


def _result(
    item: BatchItem, call: ScriptedCall, behaviour: Behaviour, body: dict[str, Any], *, number: int
) -> ItemResult:
    if (error := ERRORS.get(behaviour.kind)) is not None:
        status, message = behaviour.status or error.status, behaviour.message or error.message
        return _errored(item, call.wire, status, error.kind, message, error.code)
    if behaviour.kind is Kind.RAW:
        return ItemResult(
            item.custom_id,
            ItemFate.ANSWERED,
            behaviour.status or 200,
            (behaviour.text or "").encode("utf-8", "surrogatepass"),
        )
    told = replace(
        call,
        model=behaviour.echoed_model or call.model,
        service_tier=behaviour.served_tier or _TOLD_TIERS.get(call.wire),
    )
    wire_format = FORMATS[call.wire](told, body, number=number)
    with_usage = behaviour.kind is not Kind.NO_USAGE
    answer = wire_format.whole(
        reply_to(call, body, behaviour, number=number), with_usage=with_usage
    )
    return ItemResult(item.custom_id, ItemFate.ANSWERED, 200, answer)


def _errored(
    item: BatchItem, wire: Wire, status: int, kind: str, message: str, code: str | None
) -> ItemResult:
    body = FORMATS[wire].error(status, kind=kind, message=message, code=code)
    return ItemResult(item.custom_id, ItemFate.ERRORED, status, body)


def _over_the_limit(limit: int) -> dict[str, Any]:
    message = f"Enqueued token limit reached for the model. Limit: {limit} enqueued tokens."
    return _error("token_limit_exceeded", f"{message} Please try again later.")


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "param": None, "line": None}

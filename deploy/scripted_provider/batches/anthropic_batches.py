"""Anthropic's message batches, as a server tells them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from deploy.scripted_provider.batches.scripted_batch import (
    BatchItem,
    BatchStage,
    ItemFate,
    ItemResult,
    ScriptedBatch,
)
from deploy.scripted_provider.batches.shelf import BatchShelf
from deploy.scripted_provider.call import Wire
from deploy.scripted_provider.wires import FORMATS

_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MOST_REQUESTS = 100_000
_WINDOW = timedelta(hours=24)
_WORDS = {
    ItemFate.ANSWERED: "succeeded",
    ItemFate.ERRORED: "errored",
    ItemFate.CANCELLED: "canceled",
    ItemFate.EXPIRED: "expired",
}


class AnthropicBatches:
    """Creates, shows, lists, cancels and deletes; results lie where the batch says."""

    def __init__(self, shelf: BatchShelf) -> None:
        self._shelf = shelf

    def routes(self) -> list[web.RouteDef]:
        one = "/v1/messages/batches/{id}"
        return [
            web.post("/v1/messages/batches", self._create),
            web.get("/v1/messages/batches", self._list),
            web.get(one, self._show),
            web.post(f"{one}/cancel", self._cancel),
            web.get(f"{one}/results", self._results),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        asked = msgspec.json.decode(await request.read())
        if fault := next(_faults(asked), None):
            return _refusal(400, fault)
        items = [BatchItem(each["custom_id"], each["params"]) for each in asked["requests"]]
        model = str(items[0].body.get("model"))
        behaviour = self._shelf.script.behaviour_for(model)
        if behaviour.refused_with is not None:
            return _refusal(behaviour.refused_with, "The batch was not taken.")
        batch = ScriptedBatch(
            id=self._shelf.new_id("msgbatch"),
            model=model,
            items=items,
            behaviour=behaviour,
            about={"wire": Wire.ANTHROPIC},
        )
        told = _told(batch, request)
        self._shelf.add(batch)
        if behaviour.loses_answer and request.transport is not None:
            request.transport.close()
        return web.json_response(told)

    async def _show(self, request: web.Request) -> web.Response:
        batch = self._shelf.looked_at(request.match_info["id"], Wire.ANTHROPIC)
        if batch is None:
            return _refusal(404, "There is no such batch.")
        if batch.behaviour.look_fails_with is not None:
            return _refusal(batch.behaviour.look_fails_with, "The batch cannot be shown.")
        return web.json_response(_told(batch, request))

    async def _list(self, request: web.Request) -> web.Response:
        batches = [*self._shelf.newest_first(Wire.ANTHROPIC)]
        ids = [batch.id for batch in batches]
        if (after := request.query.get("after_id")) in ids:
            batches = batches[ids.index(after) + 1 :]
        limit = int(request.query.get("limit", "20"))
        page = [_told(batch, request) for batch in batches[:limit]]
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        told = {"data": page, "has_more": len(batches) > limit, "first_id": None, "last_id": None}
        return web.json_response(told | ends)

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self._shelf.looked_at(request.match_info["id"], Wire.ANTHROPIC)
        if batch is None:
            return _refusal(404, "There is no such batch.")
        batch.cancel()
        return web.json_response(_told(batch, request))

    async def _results(self, request: web.Request) -> web.Response:
        batch = self._shelf.looked_at(request.match_info["id"], Wire.ANTHROPIC)
        if batch is None or not batch.has_ended:
            return _refusal(404, "There are no results.")
        content = b"".join(_line(each) for each in batch.told())
        if batch.behaviour.cut_results:
            content = content[:-10]
        return web.Response(body=content, content_type="application/x-jsonl")


def _faults(asked: object) -> Iterator[str]:
    """What the API would refuse at once: parameters of an item are looked at when it runs."""
    requests = asked.get("requests") if isinstance(asked, dict) else None
    if not isinstance(requests, list) or not 1 <= len(requests) <= _MOST_REQUESTS:
        yield f"requests: a list of 1 to {_MOST_REQUESTS} is required"
        return
    seen: set[str] = set()
    for nth, each in enumerate(requests):
        custom_id = each.get("custom_id") if isinstance(each, dict) else None
        if not isinstance(custom_id, str) or not _CUSTOM_ID.fullmatch(custom_id):
            yield f"requests.{nth}.custom_id: String should match '^[a-zA-Z0-9_-]{{1,64}}$'"
        elif custom_id in seen:
            yield f"requests.{nth}.custom_id: custom_id must be unique: {custom_id}"
        elif not isinstance(each.get("params"), dict):
            yield f"requests.{nth}.params: Field required"
        else:
            seen.add(custom_id)


def _told(batch: ScriptedBatch, request: web.Request) -> dict[str, Any]:
    created = datetime.fromtimestamp(batch.created_at, UTC)
    fates = Counter(_WORDS[each.fate] for each in batch.results)
    counts = dict.fromkeys(_WORDS.values(), 0) | fates
    waiting = 0 if batch.has_ended else len(batch.items)
    results_url = batch.behaviour.results_url
    if results_url is None:
        results_url = f"{request.url.origin()}/v1/messages/batches/{batch.id}/results"
    stage = "canceling" if batch.stage is BatchStage.CANCELLING else "in_progress"
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": "ended" if batch.has_ended else stage,
        "request_counts": {**counts, "processing": waiting},
        "created_at": created.isoformat(),
        "expires_at": (created + _WINDOW).isoformat(),
        "ended_at": _moment(batch.ended_at),
        "cancel_initiated_at": _moment(batch.cancelled_at),
        "archived_at": None,
        "results_url": results_url if batch.has_ended else None,
    }


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()


def _line(result: ItemResult) -> bytes:
    told: dict[str, Any] = {"type": _WORDS[result.fate]}
    if result.fate is ItemFate.ANSWERED:
        told["message"] = msgspec.Raw(result.body)
    elif result.fate is ItemFate.ERRORED:
        told["error"] = msgspec.json.decode(result.body)
    return msgspec.json.encode({"custom_id": result.custom_id, "result": told}) + b"\n"


def _refusal(status: int, message: str) -> web.Response:
    body = FORMATS[Wire.ANTHROPIC].error(status, kind="", message=message, code=None)
    return web.Response(status=status, body=body, content_type="application/json")

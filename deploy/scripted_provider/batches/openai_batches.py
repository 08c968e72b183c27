"""OpenAI's batches, as a server tells them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web

from deploy.scripted_provider.batches.openai_files import OpenAIFiles, openai_refusal
from deploy.scripted_provider.batches.openai_lines import ENDPOINTS, OpenAIInput, output_line
from deploy.scripted_provider.batches.scripted_batch import (
    BatchStage,
    ItemFate,
    ItemResult,
    ScriptedBatch,
)
from deploy.scripted_provider.batches.shelf import BatchShelf
from deploy.scripted_provider.call import Wire

_WINDOW_SECONDS = 86_400
_STATUS = {BatchStage.RUNNING: "in_progress"}


class OpenAIBatches:
    """Creates, shows, lists and cancels; what came of a batch lies in two files."""

    def __init__(self, shelf: BatchShelf, files: OpenAIFiles) -> None:
        self._shelf = shelf
        self._files = files

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/batches", self._create),
            web.get("/v1/batches", self._list),
            web.get("/v1/batches/{id}", self._show),
            web.post("/v1/batches/{id}/cancel", self._cancel),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        asked = msgspec.json.decode(await request.read(), type=dict[str, Any])
        kept = self._files.get(str(asked.get("input_file_id")))
        endpoint = str(asked.get("endpoint"))
        if kept is None or kept.purpose != "batch":
            return openai_refusal(400, "input_file_id names no file of the purpose 'batch'.")
        if endpoint not in ENDPOINTS:
            return openai_refusal(400, f"Invalid value for endpoint: '{endpoint}'.")
        if asked.get("completion_window") != "24h":
            return openai_refusal(400, "completion_window must be '24h'.")
        read = OpenAIInput(kept.content, endpoint=endpoint)
        behaviour = self._shelf.script.behaviour_for(read.model)
        if behaviour.refused_with is not None:
            return openai_refusal(behaviour.refused_with, "The batch was not taken.")
        batch = ScriptedBatch(
            id=self._shelf.new_id("batch"),
            model=read.model,
            items=read.items,
            behaviour=behaviour,
            about={**asked, "wire": ENDPOINTS[endpoint]},
        )
        self._shelf.add(batch)
        if read.faults:
            batch.about["errors"] = read.faults
            batch.fail()
        if behaviour.loses_answer and request.transport is not None:
            request.transport.close()
        return web.json_response(self._told(batch) | {"status": "validating", "errors": None})

    async def _show(self, request: web.Request) -> web.Response:
        batch = self._shelf.looked_at(request.match_info["id"], Wire.OPENAI)
        if batch is None:
            return openai_refusal(404, f"No batch found with id '{request.match_info['id']}'.")
        if batch.behaviour.look_fails_with is not None:
            return openai_refusal(batch.behaviour.look_fails_with, "The batch cannot be shown.")
        return web.json_response(self._told(batch))

    async def _list(self, request: web.Request) -> web.Response:
        batches = [*self._shelf.newest_first(Wire.OPENAI)]
        ids = [batch.id for batch in batches]
        if (after := request.query.get("after")) in ids:
            batches = batches[ids.index(after) + 1 :]
        limit = int(request.query.get("limit", "20"))
        page = [self._told(batch) for batch in batches[:limit]]
        told = {"object": "list", "data": page, "has_more": len(batches) > limit}
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        return web.json_response(told | ends)

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self._shelf.looked_at(request.match_info["id"], Wire.OPENAI)
        if batch is None:
            return openai_refusal(404, f"No batch found with id '{request.match_info['id']}'.")
        if batch.has_ended:
            return openai_refusal(409, f"Cannot cancel a batch with status '{batch.stage}'.")
        batch.cancel()
        return web.json_response(self._told(batch))

    def _told(self, batch: ScriptedBatch) -> dict[str, Any]:
        status = _STATUS.get(batch.stage, batch.stage.value)
        created, ended = int(batch.created_at), batch.ended_at and int(batch.ended_at)
        errors = batch.about.get("errors")
        answered = sum(each.fate is ItemFate.ANSWERED for each in batch.results)
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.about["endpoint"],
            "model": batch.model,
            "errors": errors and {"object": "list", "data": errors},
            "input_file_id": batch.about["input_file_id"],
            "completion_window": batch.about["completion_window"],
            "status": status,
            "created_at": created,
            "in_progress_at": None if batch.stage is BatchStage.FAILED else created,
            "expires_at": created + _WINDOW_SECONDS,
            "finalizing_at": ended if batch.stage is BatchStage.COMPLETED else None,
            "cancelling_at": batch.cancelled_at and int(batch.cancelled_at),
            **{f"{end}_at": ended if status == end else None for end in _ENDS},
            "request_counts": {
                "total": 0 if batch.stage is BatchStage.FAILED else len(batch.items),
                "completed": answered,
                "failed": sum(each.fate is ItemFate.ERRORED for each in batch.results),
            },
            "metadata": batch.about.get("metadata"),
            **self._results(batch),
        }

    def _results(self, batch: ScriptedBatch) -> dict[str, str | None]:
        """The ids of the two files, made when they are asked for first."""
        if "files" not in batch.about:
            if not batch.results:
                return {"output_file_id": None, "error_file_id": None}
            told = batch.told()
            good = [each for each in told if each.fate is ItemFate.ANSWERED and each.status < 300]
            bad = [each for each in told if each not in good]
            batch.about["files"] = {
                "output_file_id": self._kept(batch, good, "output"),
                "error_file_id": self._kept(batch, bad, "error"),
            }
        files: dict[str, str | None] = batch.about["files"]
        return files

    def _kept(self, batch: ScriptedBatch, told: Iterable[ItemResult], kind: str) -> str | None:
        lines = [output_line(batch.id, each, number) for number, each in enumerate(told)]
        if not lines:
            return None
        content = b"\n".join(lines) + b"\n"
        if batch.behaviour.cut_results:
            content = content[: -(len(lines[-1]) // 2)]
        name = f"{batch.id}_{kind}.jsonl"
        return self._files.keep(content, purpose="batch_output", filename=name).id


_ENDS = ("completed", "failed", "expired", "cancelled")

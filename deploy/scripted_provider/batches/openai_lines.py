"""The lines of an OpenAI batch: of its input, with what is wrong with them, and of its results."""

from __future__ import annotations

from typing import Any

import msgspec

from deploy.scripted_provider.batches.scripted_batch import BatchItem, ItemFate, ItemResult
from deploy.scripted_provider.call import Wire

ENDPOINTS: dict[str, Wire] = {
    "/v1/chat/completions": Wire.OPENAI,
    "/v1/embeddings": Wire.EMBEDDINGS,
}
"""Those that a batch is run for here."""
MOST_LINES = 50_000
_UNRUN = {
    ItemFate.EXPIRED: (
        "batch_expired",
        "This request could not be executed before the completion window expired.",
    ),
    ItemFate.CANCELLED: ("batch_cancelled", "This request was cancelled with its batch."),
}

Fault = dict[str, Any]


class OpenAIInput:
    """What was read of a file: its items, their model, and the faults of its lines."""

    def __init__(self, content: bytes, *, endpoint: str) -> None:
        self.items: list[BatchItem] = []
        self.faults: list[Fault] = []
        self.model = ""
        self._endpoint = endpoint
        self._ids: set[str] = set()
        lines = content.decode("utf-8", "replace").splitlines()
        if not lines:
            self._fault(None, "empty_file", "The batch file is empty.")
        if len(lines) > MOST_LINES:
            self._fault(None, "too_many_tasks", f"More than {MOST_LINES} requests in one file.")
            return
        for number, line in enumerate(lines, start=1):
            self._take(line, number)

    def _take(self, line: str, number: int) -> None:
        try:
            told = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeError):
            self._fault(number, "invalid_json_line", "This line is not parseable as valid JSON.")
            return
        if not isinstance(told, dict) or not isinstance(told.get("body"), dict):
            self._fault(number, "missing_required_parameter", "body is required.", "body")
            return
        if (custom_id := self._custom_id(told, number)) is None:
            return
        model = told["body"].get("model")
        if told.get("method") != "POST" or told.get("url") != self._endpoint:
            message = f"The URL provided for this request does not match {self._endpoint}."
            self._fault(number, "mismatched_url", message, "url")
        elif not isinstance(model, str) or (self.model and model != self.model):
            message = "All requests of a batch must have the same model."
            self._fault(number, "mismatched_model", message, "body.model")
        else:
            self.model = model
            self.items.append(BatchItem(custom_id, told["body"]))

    def _custom_id(self, told: dict[str, Any], number: int) -> str | None:
        custom_id = told.get("custom_id")
        if not isinstance(custom_id, str) or not custom_id:
            message = "custom_id is required."
            self._fault(number, "missing_required_parameter", message, "custom_id")
            return None
        if custom_id in self._ids:
            message = f"The custom_id for this request is a duplicate: '{custom_id}'."
            self._fault(number, "duplicate_custom_id", message, "custom_id")
            return None
        self._ids.add(custom_id)
        return custom_id

    def _fault(self, line: int | None, code: str, message: str, param: str | None = None) -> None:
        self.faults.append({"code": code, "message": message, "param": param, "line": line})


def output_line(batch_id: str, result: ItemResult, number: int) -> bytes:
    """One result, as either file has it."""
    line: dict[str, Any] = {
        "id": f"batch_req_{batch_id}_{number}",
        "custom_id": result.custom_id,
        "response": None,
        "error": None,
    }
    if unrun := _UNRUN.get(result.fate):
        line["error"] = {"code": unrun[0], "message": unrun[1]}
    else:
        request_id = f"req_{batch_id}_{number}"
        response = {"status_code": result.status, "request_id": request_id}
        line["response"] = response | {"body": _raw(result.body)}
    return msgspec.json.encode(line)


def _raw(body: bytes) -> object:
    """As JSON, where it is; what no JSON can hold is a text."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return body.decode("utf-8", "replace")

"""What a line has come to, in the words of its batch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from anthropic.types.messages import MessageBatchIndividualResponse

from shared.batches.batch import Batch, BatchLine
from shared.batches.result_lines import ResultKind, is_in, result_line
from shared.batches.state import BatchEndpoint, BatchState, BatchSurface, ItemOutcome
from shared.messages.record import Surface
from shared.messages.state import ResponseState
from tests.queued_message import ACCEPTED_AT, queued_message

OF_ANTHROPIC = {"surface": BatchSurface.ANTHROPIC, "endpoint": BatchEndpoint.MESSAGES}


def batch(**fields: Any) -> Batch:
    usual = {
        "tenant_id": "ten_1",
        "endpoint": BatchEndpoint.CHAT_COMPLETIONS,
        "content_id": "cont_1",
        "input_bytes": 9,
        "window_seconds": 60,
        "id": "batch_1",
        "digest": "",
        "state": BatchState.IN_PROGRESS,
        "created_at": ACCEPTED_AT,
        "expires_at": ACCEPTED_AT + timedelta(minutes=1),
    }
    return Batch(**(usual | fields))


def line(outcome: ItemOutcome, **fields: Any) -> BatchLine:
    return BatchLine(line=7, custom_id="a", outcome=outcome, **fields)


def answered(**fields: Any) -> BatchLine:
    usual: dict[str, Any] = {
        "surface": Surface.CHAT,
        "state": ResponseState.COMPLETED,
        "output_text": "Hello.",
        "model": "m",
        "input_tokens": 1,
        "output_tokens": 1,
    }
    return line(ItemOutcome.COMPLETED, message=queued_message(**(usual | fields)))


FAILED = line(
    ItemOutcome.FAILED,
    message=queued_message(state=ResponseState.FAILED, error_code="no_provider"),
)
REFUSED = line(
    ItemOutcome.FAILED, status_code=400, error_code="missing", error_message="'input' is missing."
)
LATE = line(ItemOutcome.EXPIRED, error_code="batch_expired", error_message="Time was up.")
CANCELLED = line(ItemOutcome.CANCELLED, error_code="batch_cancelled")


def written(of: Batch, item: BatchLine) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(result_line(of, item)))
    return told


def test_an_answer_is_what_its_endpoint_would_have_said() -> None:
    told = written(batch(), answered())
    assert told["id"] == "batch_req_1_7"
    assert told["custom_id"] == "a"
    assert told["error"] is None
    assert (told["response"]["status_code"], told["response"]["request_id"]) == (200, "resp_1")
    assert told["response"]["body"]["choices"][0]["message"]["content"] == "Hello."


@pytest.mark.parametrize(
    ("item", "status", "code"), [(FAILED, 502, "no_provider"), (REFUSED, 400, "missing")]
)
def test_what_failed_has_the_error_that_its_request_came_to(
    item: BatchLine, status: int, code: str
) -> None:
    told = written(batch(), item)
    assert told["response"]["status_code"] == status
    assert told["response"]["body"]["error"]["code"] == code
    assert told["error"] is None


@pytest.mark.parametrize(
    ("item", "code"), [(LATE, "batch_expired"), (CANCELLED, "batch_cancelled")]
)
def test_what_was_not_answered_in_time_or_not_wanted_has_no_response(
    item: BatchLine, code: str
) -> None:
    told = written(batch(), item)
    assert told["response"] is None
    assert told["error"]["code"] == code
    assert told["error"]["message"]


def test_each_line_that_has_ended_is_in_one_file() -> None:
    of = batch()
    for item in (answered(), FAILED, REFUSED, LATE, CANCELLED):
        files = [kind for kind in ResultKind if is_in(of, item, kind)]
        right = ResultKind.OUTPUT if item.outcome is ItemOutcome.COMPLETED else ResultKind.ERRORS
        assert files == [right]
        assert is_in(batch(**OF_ANTHROPIC), item, ResultKind.OUTPUT)
        assert not is_in(batch(**OF_ANTHROPIC), item, ResultKind.ERRORS)
    assert not any(is_in(of, line(ItemOutcome.WAITING), kind) for kind in ResultKind)


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (answered(surface=Surface.MESSAGES), "succeeded"),
        (FAILED, "errored"),
        (REFUSED, "errored"),
        (LATE, "expired"),
        (CANCELLED, "canceled"),
    ],
)
def test_anthropics_client_reads_its_results(item: BatchLine, kind: str) -> None:
    told = written(batch(**OF_ANTHROPIC), item)
    read = MessageBatchIndividualResponse.model_validate(told)
    assert (read.custom_id, read.result.type) == ("a", kind)
    if kind == "errored":
        assert told["result"]["error"]["error"]["message"]
        assert told["result"]["error"]["request_id"]

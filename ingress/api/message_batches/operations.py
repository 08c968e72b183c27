"""The operations on batches of messages, in one table."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingress.api.batches.operations import ID_PATTERN
from ingress.api.message_batches.create_message_batch import CreateMessageBatch
from ingress.api.message_batches.message_batch import (
    DeletedMessageBatch,
    MessageBatch,
    MessageBatchList,
)
from ingress.api.message_batches.message_batches import MessageBatches
from ingress.api.reference.operation import Operation, Parameter, Tag

_ALL: Final = "/v1/messages/batches"
_ONE: Final = f"{_ALL}/{{batch_id}}"
_ERRORS: Final = (401, 404, 503)
_PAGE: Final = (
    Parameter("limit", "query", "integer", "1 to 1,000, 20 unless it is given."),
    Parameter(
        "after_id", "query", "string", "The id of the last batch you have.", pattern=ID_PATTERN
    ),
    Parameter(
        "before_id", "query", "string", "The id of the first batch you have.", pattern=ID_PATTERN
    ),
)


def message_batch_operations(batches: MessageBatches) -> list[Operation]:
    """Batches in Anthropic's shape."""
    row = partial(Operation, tag=Tag.BATCHES, answer=MessageBatch, errors=_ERRORS)
    return [
        row(
            "POST",
            _ALL,
            batches.create,
            "Have many messages answered",
            description="Up to 100,000 of them in one body of up to 256 MB, which is kept as it "
            "comes.",
            request=CreateMessageBatch,
            errors=(400, 401, 409, 413, 415, 429, 503),
        ),
        row(
            "GET",
            _ALL,
            batches.list,
            "List batches of messages",
            answer=MessageBatchList,
            parameters=_PAGE,
            errors=(400, 401, 503),
        ),
        row("GET", _ONE, batches.retrieve, "Read how far a batch of messages is"),
        row(
            "POST",
            f"{_ONE}/cancel",
            batches.cancel,
            "Cancel a batch of messages",
            errors=(401, 404, 409, 503),
        ),
        *_ended_operations(batches),
    ]


def _ended_operations(batches: MessageBatches) -> list[Operation]:
    row = partial(Operation, tag=Tag.BATCHES, errors=_ERRORS)
    return [
        row(
            "GET",
            f"{_ONE}/results",
            batches.results,
            "Read the results that there are by now",
            description="A line of JSON for each request that has ended.",
            answer_type="application/octet-stream",
        ),
        row(
            "DELETE",
            _ONE,
            batches.delete,
            "Delete a batch that has ended",
            answer=DeletedMessageBatch,
            errors=(401, 404, 409, 503),
        ),
    ]

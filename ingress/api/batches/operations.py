"""Batches' operations, in one table."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingress.api.batches.batch_object import BatchList, BatchObject
from ingress.api.batches.batches import Batches
from ingress.api.batches.create_batch import CreateBatch
from ingress.api.batches.lines import CancelLine, LinesOfBatches
from ingress.api.reference.operation import Operation, Parameter, Tag
from shared.identifiers import BATCH

_ALL: Final = "/v1/batches"
_ONE: Final = f"{_ALL}/{{batch_id}}"
_ERRORS: Final = (401, 404, 503)
ID_PATTERN: Final = f"^{BATCH}_[0-9a-f]{{32}}$"
_PAGE: Final = (
    Parameter("limit", "query", "integer", "1 to 100, 20 unless it is given."),
    Parameter(
        "after", "query", "string", "The id of the last batch that you have.", pattern=ID_PATTERN
    ),
)


def batch_operations(batches: Batches, lines: LinesOfBatches) -> list[Operation]:
    """Batches in OpenAI's shape."""
    row = partial(Operation, tag=Tag.BATCHES, answer=BatchObject, errors=_ERRORS)
    return [
        row(
            "POST",
            _ALL,
            batches.create,
            "Have a file of requests answered",
            description="Each line is a request to one endpoint, and each is checked before any "
            "is run: a batch with a wrong line fails, and says which. `completion_window` may be "
            "shorter than a day. `forebay` says what it is expected to take and how far it is.",
            request=CreateBatch,
            errors=(400, 401, 403, 404, 413, 415, 429, 503),
        ),
        row(
            "GET",
            _ALL,
            batches.list,
            "List batches",
            answer=BatchList,
            parameters=_PAGE,
            errors=(400, 401, 503),
        ),
        row("GET", _ONE, batches.retrieve, "Read how far a batch is"),
        row(
            "POST",
            f"{_ONE}/cancel",
            batches.cancel,
            "Cancel a batch that has not ended",
            description="What was answered by then is in its output file.",
            errors=(401, 404, 409, 503),
        ),
        _line_operation(lines),
        *_result_operations(batches),
    ]


def _line_operation(lines: LinesOfBatches) -> Operation:
    return Operation(
        "POST",
        f"{_ONE}/lines/cancel",
        lines.cancel,
        "Cancel one line of a batch",
        description="The others go on. The line is in the error file, with the code "
        "`line_cancelled`; an equal line is answered all the same.",
        tag=Tag.BATCHES,
        request=CancelLine,
        answer=BatchObject,
        errors=(400, 401, 404, 409, 413, 415, 503),
    )


def _result_operations(batches: Batches) -> list[Operation]:
    lines = partial(
        Operation, "GET", tag=Tag.BATCHES, answer_type="application/octet-stream", errors=_ERRORS
    )
    return [
        lines(
            f"{_ONE}/output",
            batches.output,
            "Read the lines that were answered by now",
            description="As its output file will have them.",
        ),
        lines(
            f"{_ONE}/errors",
            batches.errors,
            "Read the lines that ended without an answer by now",
            description="As its error file will have them.",
        ),
    ]

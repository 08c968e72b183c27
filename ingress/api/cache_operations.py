"""The cache's operations, in one table."""

from __future__ import annotations

from typing import Final

from ingress.api.reference.operation import Operation, Tag
from ingress.api.stored_answers import (
    DroppedAnswer,
    InvalidatedCache,
    StoredAnswers,
    WrongHit,
)

_ENTRY: Final = "/v1/cache/{entry_id}"
_ERRORS: Final = (401, 503)


def cache_operations(stored: StoredAnswers) -> list[Operation]:
    """Cache."""
    return [
        Operation(
            method="DELETE",
            path="/v1/cache",
            endpoint=stored.invalidate,
            tag=Tag.CACHE,
            summary="Forget all stored answers",
            description="Answers that are being written meanwhile are not stored either.",
            answer=InvalidatedCache,
            errors=_ERRORS,
        ),
        Operation(
            method="DELETE",
            path=_ENTRY,
            endpoint=stored.delete,
            tag=Tag.CACHE,
            summary="Forget a stored answer",
            description="By its id in `turn.cache.entry`, or by the id of a response that was "
            "answered with it.",
            answer=DroppedAnswer,
            errors=(*_ERRORS, 404),
        ),
        Operation(
            method="POST",
            path=f"{_ENTRY}/report",
            endpoint=stored.report,
            tag=Tag.CACHE,
            summary="Report a stored answer as wrong",
            description="It is forgotten, and the complaint is kept. The body may be left out.",
            request=WrongHit,
            answer=DroppedAnswer,
            errors=(400, *_ERRORS, 404, 413),
        ),
    ]

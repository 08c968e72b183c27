"""The operations on what is kept, in two tables: stored answers, and erasures."""

from __future__ import annotations

from typing import Final

from ingress.api.erasures import ErasureEndpoints, ErasureObject, ErasureRequest
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


def erasure_operations(erasures: ErasureEndpoints) -> list[Operation]:
    """Erasures."""
    return [
        Operation(
            method="POST",
            path="/v1/erasures",
            endpoint=erasures.create,
            tag=Tag.ERASURES,
            summary="Erase all of a user or a conversation",
            description="What was asked, answered and stored until now goes, a little at a time; "
            "what it cost stays booked. A message that has not ended is cancelled.",
            request=ErasureRequest,
            answer=ErasureObject,
            errors=(400, *_ERRORS, 413, 415),
        ),
        Operation(
            method="GET",
            path="/v1/erasures/{erasure_id}",
            endpoint=erasures.retrieve,
            tag=Tag.ERASURES,
            summary="Read how far an erasure is",
            answer=ErasureObject,
            errors=(*_ERRORS, 404),
        ),
    ]

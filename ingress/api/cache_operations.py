"""The operations on what is kept, in two tables: stored answers, and erasures."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingress.api.erasures import ErasureEndpoints, ErasureObject, ErasureRequest
from ingress.api.reference.operation import BODY_ERRORS, KEY_ERRORS, Operation, Tag
from ingress.api.stored_answers import DroppedAnswer, InvalidatedCache, StoredAnswers, WrongHit

_ENTRY: Final = "/v1/cache/{entry_id}"
_ERASURE: Final = "/v1/erasures/{erasure_id}"
_ERRORS: Final = (*KEY_ERRORS, 404)


def cache_operations(stored: StoredAnswers) -> list[Operation]:
    """Cache."""
    row = partial(Operation, tag=Tag.CACHE)
    return [
        row(
            "DELETE",
            "/v1/cache",
            stored.invalidate,
            "Forget all stored answers",
            description="Answers that are being written meanwhile are not stored either.",
            answer=InvalidatedCache,
            errors=KEY_ERRORS,
        ),
        row(
            "DELETE",
            _ENTRY,
            stored.delete,
            "Forget a stored answer",
            description="By its id in `turn.cache.entry`, or by the id of a response that was "
            "answered with it.",
            answer=DroppedAnswer,
            errors=_ERRORS,
        ),
        row(
            "POST",
            f"{_ENTRY}/report",
            stored.report,
            "Report a stored answer as wrong",
            description="It is forgotten, and the complaint is kept. The body may be left out.",
            request=WrongHit,
            answer=DroppedAnswer,
            errors=(400, *_ERRORS, 413),
        ),
    ]


def erasure_operations(erasures: ErasureEndpoints) -> list[Operation]:
    """Erasures."""
    row = partial(Operation, tag=Tag.ERASURES, answer=ErasureObject, errors=_ERRORS)
    return [
        row(
            "POST",
            "/v1/erasures",
            erasures.create,
            "Erase all of a user or a conversation",
            description="What was asked, answered and stored until now goes, a little at a time; "
            "what it cost stays booked. A message that has not ended is cancelled.",
            request=ErasureRequest,
            errors=BODY_ERRORS,
        ),
        row("GET", _ERASURE, erasures.retrieve, "Read how far an erasure is"),
    ]

"""Feedback as a caller is told it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from shared.feedback.record import FeedbackRecord
from shared.feedback.verdict import FeedbackScale


class FeedbackEarlier(msgspec.Struct, frozen=True):
    """What stood there before; `at` is a Unix time."""

    at: int
    value: bool | int | float | str
    score: float | None


class FeedbackObject(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict. `value` is what was sent, `score` the same as 0 to 1, null for a label that
    says neither good nor bad; times are Unix times."""

    id: str
    object: Literal["response.feedback"] = "response.feedback"
    response_id: str
    name: str
    source: str
    value: bool | int | float | str
    score: float | None
    scale: FeedbackScale | None
    comment: str | None
    created_at: int
    given_at: int
    earlier: list[FeedbackEarlier]


class FeedbackList(msgspec.Struct, frozen=True):
    """All that was said of one answer."""

    data: list[FeedbackObject]
    object: Literal["list"] = "list"


def feedback_object(record: FeedbackRecord) -> FeedbackObject:
    """The record in the words of the surface."""
    return FeedbackObject(
        id=record.id,
        response_id=record.response_id,
        name=record.name,
        source=record.source,
        value=record.original,
        score=record.value,
        scale=record.scale,
        comment=record.comment,
        created_at=int(record.created_at.timestamp()),
        given_at=int(record.at.timestamp()),
        earlier=[
            FeedbackEarlier(int(each.at.timestamp()), each.original, each.value)
            for each in record.earlier
        ],
    )


def feedback_list(records: Sequence[FeedbackRecord]) -> FeedbackList:
    """Those of one answer."""
    return FeedbackList([*map(feedback_object, records)])

"""The statements of feedback, and what fills a ledger with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Insert

from shared.batches.items import BatchItems
from shared.clock import Clock
from shared.feedback.book import FeedbackBook
from shared.feedback.tables import feedback
from shared.feedback.verdict import GivenFeedback, verdict_of
from shared.persistence.engine import Database

FeedbackProbe = Callable[[Database, Clock], Awaitable[object]]
_SAID: Final = verdict_of(GivenFeedback(name="helpful", value=True))


def verdicts(rows: Callable[..., Insert], number: float, now: datetime) -> list[Insert]:
    """So many on as many answers; `rows` makes the statement."""
    made: dict[str, Any] = {"id": "feedback_e", "tenant_id": "ten_1", "response_id": "resp_e"}
    made |= {"name": "n", "source": "user", "value": 1.0, "is_negative": False, "original": "true"}
    made |= {"earlier": "[]", "changes": 0, "created_at": now, "given_at": now}
    return [rows(feedback, number, made, numbered=("id", "response_id"))]


FEEDBACK_PROBES: Final[dict[str, FeedbackProbe]] = {
    "FeedbackBook.give": lambda database, clock: FeedbackBook(database, clock).give(
        "ten_1", "resp_e7", _SAID
    ),
    "FeedbackBook.of": lambda database, clock: FeedbackBook(database, clock).of(
        "ten_1", "resp_e70"
    ),
    "FeedbackBook.page": lambda database, clock: FeedbackBook(database, clock).page(
        "ten_1", negative=True
    ),
}
FEEDBACK_PROBES["BatchItems.message_of"] = lambda database, _: BatchItems(database).message_of(
    "batch_e7", 7, tenant_id="ten_1"
)
FEEDBACK_BY_HAND: Final = {"FeedbackBook": {"named"}}

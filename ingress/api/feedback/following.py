"""What follows from a verdict: counts, the trace, a stored answer withdrawn, a user's risk."""

from __future__ import annotations

from ingress.api.door import Door
from shared.answer_cache.housekeeping import Housekeeping
from shared.answer_cache.stored_answer import place_of
from shared.feedback.book import Given
from shared.feedback.record import FeedbackRecord
from shared.feedback.verdict import ABUSE, is_of_person
from shared.messages.record import MessageRecord
from shared.messages.turn_report import decode_report
from shared.reservations.reservations import RiskSignal
from shared.telemetry.genai import evaluation_result
from shared.telemetry.tracing import TRACEPARENT, extract


class FeedbackFollowing:
    """It moves risk and what is sampled, and never an answer by itself.

    A stored answer that a person speaks against is forgotten: the next who asks has a new one.
    """

    def __init__(self, door: Door, housekeeping: Housekeeping) -> None:
        self._door = door
        self._housekeeping = housekeeping

    async def follow(self, judged: MessageRecord, given: Given) -> None:
        """Do what is to be done; to repeat it does no more. Raises RedisUnavailable where a stored
        answer could not be forgotten: the same again does."""
        record = given.record
        by_person = is_of_person(record.source)
        if record.is_negative and by_person and record.name != ABUSE:
            await self._withdraw(judged)
        if not given.is_new:
            return
        self._door.metrics.feedback.labels(
            _leaning(record), "person" if by_person else "judge"
        ).inc()
        self._tell_trace(judged, record)
        if record.is_negative and by_person and record.name == ABUSE:
            await self._door.reservations.report(
                judged.tenant_id, judged.user_id, RiskSignal.COMPLAINT
            )

    async def _withdraw(self, judged: MessageRecord) -> None:
        report = decode_report(judged.report)
        if report is None or report.cache is None:
            return
        place = place_of(judged.tenant_id, report.cache.entry)
        if place is not None and await self._housekeeping.drop(place):
            self._door.metrics.wrong_cache_hits.inc()

    def _tell_trace(self, judged: MessageRecord, record: FeedbackRecord) -> None:
        tracing = self._door.tracing
        parent = extract({TRACEPARENT: judged.traceparent})
        if not tracing.recording or parent is None:
            return
        event = evaluation_result(
            record.name, response_id=record.response_id, score=record.value, label=record.label
        )
        with tracing.span("feedback", parent=parent) as span:
            span.add_event(*event)


def _leaning(record: FeedbackRecord) -> str:
    if record.is_negative:
        return "negative"
    return "unknown" if record.value is None else "positive"

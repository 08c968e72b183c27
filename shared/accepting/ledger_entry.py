"""The row that the ledger is going to keep of a message."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.accepting.arrival import Arrival
from shared.clock import Clock
from shared.errors import InvalidRequest
from shared.identifiers import new_response_id
from shared.messages.body import body_digest
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord, as_accepted
from shared.settings.door import LaneSettings

DEFAULT_OUTPUT_TOKENS: Final = 512
"""What an answer is taken to cost until the tenant's own answers have taught better."""


class LedgerEntries:
    """Makes records: lane, deadline, digest and estimate are decided here, once."""

    def __init__(self, lanes: LaneSettings, clock: Clock) -> None:
        self._clock = clock
        self._longest_seconds = lanes.longest_deadline_seconds
        self._deadline_seconds = {
            Lane.INTERACTIVE: lanes.interactive_deadline_seconds,
            Lane.STANDARD: lanes.standard_deadline_seconds,
            Lane.BATCH: lanes.batch_deadline_seconds,
        }

    def record_of(self, arrival: Arrival, *, p90_output_tokens: int) -> MessageRecord:
        """The record of an arrival; raises InvalidRequest for its tier or its deadline."""
        now = self._clock.now()
        lane, body, kept = arrival.lane, arrival.body, arrival.kept
        return MessageRecord(
            id=arrival.message_id,
            tenant_id=arrival.tenant.id,
            lane=lane,
            surface=arrival.surface,
            body=kept.raw.decode(),
            body_digest=kept.digest or body_digest(body, kept.raw),
            accepted_at=now,
            deadline=self._deadline(arrival.deadline, lane, now),
            user_id=arrival.user,
            conversation_id=body.conversation,
            previous_id=body.previous_response_id,
            idempotency_key=arrival.idempotency_key,
            estimated_tokens=reserved_tokens(
                arrival.input_tokens,
                p90_output_tokens=p90_output_tokens,
                max_output_tokens=body.max_output_tokens,
            ),
            traceparent=arrival.trace.get("traceparent"),
            reply_to=arrival.reply_to,
            reply_correlation=arrival.reply_correlation,
            reply_shape=arrival.reply_shape,
            store=False if body.store is False else None,
        )

    def renewed(self, record: MessageRecord, *, idempotency_key: str) -> MessageRecord:
        """The same message once more, as it was accepted: a new id, and its lane's deadline. It is
        held no more: somebody asked for it by hand."""
        now = self._clock.now()
        return msgspec.structs.replace(
            as_accepted(record),
            id=new_response_id(),
            accepted_at=now,
            deadline=self._deadline(None, record.lane, now),
            idempotency_key=idempotency_key,
            traceparent=None,
            held_at=None,
        )

    def _deadline(self, asked: datetime | None, lane: Lane, now: datetime) -> datetime:
        if asked is None:
            return now + timedelta(seconds=self._deadline_seconds[lane])
        if asked <= now:
            raise InvalidRequest(
                f"The deadline {asked.isoformat()} has passed. Give a later one.", param="deadline"
            )
        if asked - now > timedelta(seconds=self._longest_seconds):
            raise InvalidRequest(
                f"The deadline is more than {self._longest_seconds:g} s away. Give a nearer one.",
                param="deadline",
            )
        return asked


def reserved_tokens(
    input_tokens: int, *, p90_output_tokens: int, max_output_tokens: int | None = None
) -> int:
    """Estimated input plus the tenant's learned p90 of output; at least 1.

    A `max_output_tokens` below the p90 lowers the estimate; one above it never raises it, for
    callers name huge ones as a matter of course.
    """
    output = p90_output_tokens
    if max_output_tokens is not None:
        output = min(output, max_output_tokens)
    return max(1, input_tokens + output)

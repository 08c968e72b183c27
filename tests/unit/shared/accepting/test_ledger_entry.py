from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from shared.accepting.ledger_entry import LedgerEntries
from shared.clock import SystemClock
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord, Surface
from shared.messages.state import ResponseState
from shared.settings.door import LaneSettings

LANES = LaneSettings()


def test_a_message_is_renewed_as_it_came_and_with_the_time_of_its_lane() -> None:
    clock = SystemClock()
    entries = LedgerEntries(LANES, clock)
    old = MessageRecord(
        id="resp_old",
        tenant_id="ten_1",
        lane=Lane.BATCH,
        body='{"input":"x"}',
        body_digest="d1",
        accepted_at=clock.now() - timedelta(days=3),
        deadline=clock.now() - timedelta(days=2),
        surface=Surface.INTAKE,
        user_id="u",
        previous_id="resp_before",
        idempotency_key="the producer's",
        estimated_tokens=700,
        reply_to="answers",
        held_at=clock.now() - timedelta(days=3),
    )
    ended = replace(
        old, state=ResponseState.FAILED, attempt=3, error_code="server_error", output_text="half"
    )
    new = entries.renewed(ended, idempotency_key="replay:1")
    assert new.id != old.id
    assert new.deadline - new.accepted_at == timedelta(seconds=LANES.batch_deadline_seconds)
    changed = {"id": "", "idempotency_key": "", "accepted_at": old.accepted_at}
    changed |= {"deadline": old.deadline, "held_at": old.held_at}
    assert new.held_at is None
    assert replace(new, **changed) == replace(old, **changed)

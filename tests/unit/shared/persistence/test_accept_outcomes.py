"""What becomes of a message whose row was not inserted."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from shared.errors import LedgerUnavailable
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.persistence.ledger.accepting import outcome_of
from shared.persistence.ledger.records import Accepted, AlreadyAccepted

NOW = datetime(2030, 1, 1, tzinfo=UTC)
RECORD = MessageRecord(
    id="resp_mine",
    tenant_id="ten_1",
    lane=Lane.STANDARD,
    body="{}",
    accepted_at=NOW,
    deadline=NOW,
    body_digest="digest",
    idempotency_key="key",
)
KEY = ("ten_1", "key")


def test_a_key_that_another_message_has_names_that_message() -> None:
    assert outcome_of(RECORD, {KEY: ("resp_first", "digest")}) == AlreadyAccepted(
        "resp_first", same_body=True
    )


def test_a_row_that_was_written_before_is_accepted() -> None:
    assert outcome_of(RECORD, {KEY: ("resp_mine", "digest")}) == Accepted(RECORD)
    keyless = msgspec.structs.replace(RECORD, idempotency_key=None)
    assert outcome_of(keyless, {}) == Accepted(keyless)


def test_a_key_whose_owner_was_deleted_meanwhile_is_no_message() -> None:
    """It was in nobody's row when its owner was looked for, so its id must not be told."""
    assert isinstance(outcome_of(RECORD, {}), LedgerUnavailable)

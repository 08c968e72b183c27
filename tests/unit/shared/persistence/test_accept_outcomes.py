"""What becomes of a message whose row was not inserted."""

from __future__ import annotations

import msgspec

from shared.errors import LedgerUnavailable
from shared.persistence.ledger.accepting import outcome_of
from shared.persistence.ledger.records import Accepted, AlreadyAccepted
from tests.queued_message import queued_message

RECORD = queued_message(id="resp_mine", body_digest="digest", idempotency_key="key")
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

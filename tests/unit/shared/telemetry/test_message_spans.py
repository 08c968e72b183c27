"""Whose message a span is about, without what its caller wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.settings.secret import Secret
from shared.telemetry.message_spans.ending import tell_state
from shared.telemetry.message_spans.pseudonyms import Pseudonyms
from shared.telemetry.message_spans.whose import whose
from shared.telemetry.redaction import redact_text
from shared.telemetry.tracing import SilentSpan

AT = datetime(2026, 1, 1, tzinfo=UTC)
KEYED = Pseudonyms(Secret("key"))
CONVERSATION = "conv_01a22d86c8edb957622460a5adffeed6"


def record(**parts: Any) -> MessageRecord:
    return MessageRecord(
        id="resp_1",
        tenant_id="ten_1",
        lane=Lane.STANDARD,
        body="{}",
        accepted_at=AT,
        deadline=AT,
        **parts,
    )


@given(st.text(), st.text())
def test_a_pseudonym_is_one_persons_of_one_tenant_and_passes_the_redactor(
    user: str, other: str
) -> None:
    name = KEYED.of(user, tenant_id="ten_1")
    assert name is not None
    assert name == KEYED.of(user, tenant_id="ten_1") == redact_text(name)
    assert name != KEYED.of(user, tenant_id="ten_2")
    assert name != Pseudonyms(Secret("other")).of(user, tenant_id="ten_1")
    assert (name == KEYED.of(other, tenant_id="ten_1")) == (user == other)


def test_without_a_key_users_and_their_own_names_for_conversations_are_left_out() -> None:
    unkeyed = Pseudonyms(None)
    assert whose(record(user_id="alice", conversation_id="alice's"), unkeyed) == {}
    told = whose(record(user_id="alice", conversation_id=CONVERSATION), unkeyed)
    assert set(told.values()) == {CONVERSATION}


def test_a_name_that_only_begins_like_an_id_of_ours_is_a_pseudonym() -> None:
    told = whose(record(conversation_id=f"{CONVERSATION}@example.com"), KEYED)
    assert CONVERSATION not in str(told)
    assert len(told) == 3


@dataclass
class HeardSpan(SilentSpan):
    attributes: dict[str, Any] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value

    def fail(self, error_type: str) -> None:
        self.failed.append(error_type)


def test_only_a_failed_message_makes_its_span_an_error() -> None:
    for state in ResponseState:
        span = HeardSpan()
        tell_state(span, state, reason="deadline_passed")
        assert span.attributes == {"forebay.state": state.value}
        expected = ["deadline_passed"] if state is ResponseState.FAILED else []
        assert span.failed == expected

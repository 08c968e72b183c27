"""Which messages no worker can run."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu import Message

from shared.messages.dead_letter import DeadReason
from shared.pool.poison import examine

HEADERS = {"task": "known", "id": "1"}
GOOD = json.dumps([[1], {"a": 1}, {"chain": None}])


def message(body: str = GOOD, **headers: object) -> Message:
    return Message(
        body=body,
        content_type="application/json",
        content_encoding="utf-8",
        headers={**HEADERS, **headers},
        accept={"application/json"},
    )


def verdict(suspect: Message) -> DeadReason | None:
    poison = examine(suspect, known={"known": object()}, limit_bytes=1000)
    return poison and poison.reason


@pytest.mark.parametrize(
    "limits", [None, [None, None], (1, 2.5), [10, None], [None, 0.5]], ids=repr
)
def test_a_sound_message_is_no_poison(limits: object) -> None:
    assert verdict(message(timelimit=limits)) is None


@pytest.mark.parametrize(
    "limits", [5, "ab", [1], [1, 2, 3], ["1", None], [True, None], [-1, None], {"a": 1}], ids=repr
)
def test_a_time_limit_that_is_no_pair_of_seconds_is_malformed(limits: object) -> None:
    assert verdict(message(timelimit=limits)) is DeadReason.MALFORMED


@pytest.mark.parametrize("limit", [float("nan"), float("inf")], ids=repr)
def test_a_time_limit_must_be_a_number_that_ends(limit: float) -> None:
    assert verdict(message(timelimit=[limit, None])) is DeadReason.MALFORMED


def test_a_body_over_the_limit_is_too_large_before_it_is_decoded() -> None:
    assert verdict(message("{" * 1001)) is DeadReason.TOO_LARGE


def test_a_task_that_nobody_registered_is_unknown() -> None:
    assert verdict(message(task="other")) is DeadReason.UNKNOWN_TASK


@pytest.mark.parametrize("name", ["callbacks", "errbacks", "chain", "chord"])
def test_what_is_to_follow_a_task_makes_its_message_invalid(name: str) -> None:
    follower = [{"task": "known", "args": [], "options": {}}]
    assert verdict(message(json.dumps([[1], {}, {name: follower}]))) is DeadReason.INVALID
    assert verdict(message(**{name: follower})) is DeadReason.INVALID
    assert verdict(message(json.dumps([[1], {}, {name: []}]))) is None


@given(st.text(max_size=50))
def test_no_text_as_a_body_raises(body: str) -> None:
    verdict(message(body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["task", "id", "timelimit", "eta", "expires"]), json_values))
def test_no_header_raises(headers: dict[str, object]) -> None:
    verdict(message(**headers))

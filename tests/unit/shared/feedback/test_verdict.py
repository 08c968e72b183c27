"""What a verdict is worth between 0 and 1, and which ones are refused."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidRequest
from shared.feedback.record import response_id_of
from shared.feedback.verdict import FeedbackScale, GivenFeedback, is_of_person, read_verdict

DIGITS = "0123456789abcdef" * 2


def body(**fields: object) -> bytes:
    return msgspec.json.encode({"name": "helpful", **fields})


@pytest.mark.parametrize(
    ("fields", "value", "negative"),
    [
        ({"value": True}, 1.0, False),
        ({"value": False}, 0.0, True),
        ({"value": 0.4}, 0.4, True),
        ({"value": 1}, 1.0, False),
        ({"value": 2, "scale": {"min": 1, "max": 5}}, 0.25, True),
        ({"value": 5, "scale": {"min": 1, "max": 5}}, 1.0, False),
        ({"value": "good"}, 1.0, False),
        ({"value": "thumbs_down"}, 0.0, True),
        ({"value": "mixed"}, 0.5, False),
        ({"value": "polite"}, None, False),
        ({"value": True, "name": "hallucination"}, 1.0, True),
        ({"value": False, "name": "abuse"}, 0.0, False),
    ],
)
def test_every_shape_is_worth_something_from_0_to_1(
    fields: dict[str, object], value: float | None, negative: bool
) -> None:
    said = read_verdict(body(**fields))
    assert (said.value, said.is_negative) == (value, negative)
    assert said.original == fields["value"]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(0, 1))
def test_a_number_keeps_its_place_on_its_scale(worst: float, width: float, share: float) -> None:
    best = worst + width
    number = min(best, max(worst, worst + share * width))
    asked = GivenFeedback(name="n", value=number, scale=FeedbackScale(worst, best))
    said = read_verdict(msgspec.json.encode(asked))
    assert said.value is not None
    assert 0 <= said.value <= 1
    assert said.value == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"value": 4}, "value"),
        ({"value": -0.1}, "value"),
        ({"value": 6, "scale": {"min": 1, "max": 5}}, "value"),
        ({"value": 1, "scale": {"min": 5, "max": 1}}, "scale"),
        ({"value": 1, "scale": {"min": 1, "max": 1}}, "scale"),
        ({"value": 0, "scale": {"min": -1.7e308, "max": 1.7e308}}, "scale"),
        ({"value": True, "scale": {"min": 1, "max": 5}}, "scale"),
        ({"value": "not a label"}, "value"),
        ({"value": ""}, "value"),
        ({"value": "x" * 65}, "value"),
        ({"value": None}, "value"),
        ({}, "value"),
        ({"value": True, "name": "<b>"}, "name"),
        ({"value": True, "name": "x" * 65}, "name"),
        ({"value": True, "source": ""}, "source"),
        ({"value": True, "comment": "x" * 2_001}, "comment"),
        ({"value": True, "comment": "a\0b"}, "comment"),
        ({"value": True, "verdict": 1}, "verdict"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_field(fields: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_verdict(body(**fields))
    assert refused.value.param == param


def test_a_judge_is_no_person() -> None:
    named = {name: is_of_person(name) for name in ("user", "judge", "judge:facts", "judgement")}
    assert named == {"user": True, "judge": False, "judge:facts": False, "judgement": True}


def test_an_answer_is_found_by_the_name_it_has_on_each_surface() -> None:
    response = f"resp_{DIGITS}"
    for name in (response, f"chatcmpl-{DIGITS}", f"msg_{DIGITS}"):
        assert response_id_of(name) == response
    for other in (f"msg_{DIGITS}0", f"chatcmpl_{DIGITS}", "msg_x", f"msg_{DIGITS.upper()}"):
        assert response_id_of(other) == other

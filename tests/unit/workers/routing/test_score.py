"""The score follows what a message looks like, within 0 and 1 and within the weights."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.settings.turn.routing import RoutingSettings
from workers.routing.complexity.score import LOWERING, RAISING, Complexity, Score
from workers.routing.question import RoutedQuestion

THRESHOLD = RoutingSettings().large_from


def score_of(text: str, settings: RoutingSettings | None = None, **more: object) -> Score:
    question = RoutedQuestion(text=text, characters=len(text), **more)  # type: ignore[arg-type]
    return Complexity(settings or RoutingSettings()).score(question)


def signal(score: Score, name: str) -> float:
    return next(each.value for each in score.signals if each.name == name)


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of Mongolia?",
        "Who wrote The Brothers Karamazov?",
        "Translate to German: The delivery will arrive on Tuesday.",
        "Thanks!",
        "",
        "日本の首都はどこですか",
    ],
)
def test_plain_questions_stay_below_the_threshold(text: str) -> None:
    assert score_of(text).value < THRESHOLD


@pytest.mark.parametrize(
    "text",
    [
        "Prove that the square root of 3 is irrational.",
        "```python\nasync def f(): ...\n```\nWhy does it leak?",
        "Design a rate limiter for ten nodes, and compare two algorithms.",
        "Traceback (most recent call last):\n  File 'a.py'\nTypeError: no",
        "Vergleiche beide Verträge und begründe, welcher günstiger ist.",
        "请设计一个分布式限流方案,并说明时钟漂移时会发生什么。",
    ],
)
def test_hard_ones_reach_it(text: str) -> None:
    assert score_of(text).value >= THRESHOLD


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("length", "word " * 2_000),
        ("code", "self.total = cart_items[0].price(); return"),
        ("maths", "Solve the equation x^2 + 3x = 10 for all integers"),
        ("demand", "Compare them and justify your recommendation"),
        ("constraints", "It must be short, but never rude, unless they were; at least two lines?"),
        ("language", "Wie komme ich zum Bahnhof in dieser Stadt"),
        ("output", "A detailed report with an outline"),
        ("routine", "Translate this"),
    ],
)
def test_each_signal_is_seen_where_it_is_and_nowhere_else(name: str, text: str) -> None:
    assert signal(score_of(text), name) > 0.3
    assert signal(score_of("We sat by the lake in the sun and had a sandwich."), name) == 0


def test_what_surrounds_a_message_counts() -> None:
    plain = score_of("And then?")
    assert score_of("And then?", earlier=12).value > plain.value
    assert score_of("And then?", max_output_tokens=4_000).value > plain.value
    assert score_of("And then?", is_structured=True).value > plain.value


def test_a_weight_of_zero_switches_a_signal_off() -> None:
    settings = RoutingSettings(**{f"weight_{name}": 0.0 for name in (*RAISING, *LOWERING)})
    score = score_of("Prove it.\n```c\nx\n```", settings)
    assert (score.value, score.signals) == (0.0, ())


@given(
    text=st.text(max_size=400),
    earlier=st.integers(0, 10_000),
    limit=st.none() | st.integers(1, 10**9),
    weight=st.floats(0, 1),
)
def test_it_is_always_within_0_and_1(
    text: str, earlier: int, limit: int | None, weight: float
) -> None:
    settings = RoutingSettings(**{f"weight_{name}": weight for name in (*RAISING, *LOWERING)})
    score = score_of(text, settings, earlier=earlier, max_output_tokens=limit)
    assert 0.0 <= score.value <= 1.0
    assert all(0.0 <= each.value <= 1.0 for each in score.signals)


def test_half_of_a_surrogate_pair_is_scored_like_any_text() -> None:
    assert score_of("prove it \ud83d now").value == score_of("prove it now").value


def test_the_leading_signals_come_strongest_first() -> None:
    leading = score_of("Design and prove a plan.\n```c\nx\n```").leading
    effects = [each.effect for each in leading]
    assert effects == sorted(effects, reverse=True)
    assert "code" in {each.name for each in leading}

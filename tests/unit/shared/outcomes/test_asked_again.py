"""When a question is the one before in other words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.outcomes.asked_again import TalkQuestion, asks_again, is_like

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other", "like"),
    [
        ("What does order 7 cost?", "How much does the order 7 cost?", True),
        ("Wo ist meine Bestellung?", "wo ist MEINE bestellung", True),
        ("What is it?", "What is it?", True),
        ("What is the weather in Paris?", "And in Berlin?", False),
        ("What is the weather in Paris tomorrow?", "What is the weather in Rome tomorrow?", False),
        ("", "", False),
        ("?", "!", False),
    ],
)
def test_questions_are_alike_by_the_words_they_share(one: str, other: str, like: bool) -> None:
    assert is_like(one, other) is is_like(other, one) is like


def test_only_what_comes_soon_after_the_answer_is_asked_again() -> None:
    def talk(seconds: float) -> list[TalkQuestion]:
        answered = NOON + timedelta(minutes=30)
        asked = answered + timedelta(seconds=seconds)
        return [
            TalkQuestion(NOON, answered, "Where is my order?"),
            TalkQuestion(asked, asked, "My order, where is it?"),
        ]

    assert asks_again(talk(600))
    assert not asks_again(talk(601))
    assert not asks_again(talk(1)[:1])

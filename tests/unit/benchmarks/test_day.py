"""The day is the same for everybody, and its truth holds."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.benchmarks.day.generator import Day, DayMessage, Kind, Parameters
from tests.benchmarks.day.phrases import FAMILIES

USUAL = Parameters()


@pytest.fixture(scope="module")
def day() -> list[DayMessage]:
    return Day(USUAL).messages()


def test_the_same_seed_gives_the_same_day_and_another_another(day: list[DayMessage]) -> None:
    assert Day(USUAL).messages() == day
    other = Day(Parameters(seed=USUAL.seed + 1)).messages()
    assert [each.text for each in other] != [each.text for each in day]


def test_one_text_has_one_answer(day: list[DayMessage]) -> None:
    answers: dict[str, str] = {}
    for each in day:
        assert answers.setdefault(each.text, each.intent.answer) == each.intent.answer


def test_one_answer_belongs_to_one_intent(day: list[DayMessage]) -> None:
    intents = {each.intent.key: each.intent.answer for each in day}
    assert len(set(intents.values())) == len(intents)


def test_the_shares_are_about_what_was_asked_for(day: list[DayMessage]) -> None:
    kinds = Counter(each.kind for each in day)
    assert kinds[Kind.REPEAT] / len(day) == pytest.approx(USUAL.repeats, abs=0.04)
    assert kinds[Kind.PARAPHRASE] / len(day) == pytest.approx(USUAL.paraphrases, abs=0.04)
    assert kinds[Kind.TRAP] / len(day) == pytest.approx(USUAL.traps, abs=0.02)


def test_a_repeat_was_asked_before_word_by_word(day: list[DayMessage]) -> None:
    asked: set[str] = set()
    for each in day:
        assert each.kind is not Kind.REPEAT or each.text in asked
        asked.add(each.text)


def test_a_paraphrase_is_of_something_that_was_asked_before(day: list[DayMessage]) -> None:
    asked: set[str] = set()
    for each in day:
        assert each.kind is not Kind.PARAPHRASE or each.intent.key in asked
        asked.add(each.intent.key)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_each_wording_has_its_trap(family: object) -> None:
    wordings, traps = family.wordings, family.traps  # type: ignore[attr-defined]
    assert len(wordings) == len(traps)
    assert not set(wordings) & set(traps)


def test_more_fresh_questions_than_there_are_is_an_error_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="ask for fewer messages"):
        Day(Parameters(messages=5_000)).messages()

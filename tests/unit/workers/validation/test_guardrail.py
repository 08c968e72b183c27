"""All validators together: the strictest verdict stands, and what leaves is what was judged."""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable

import pytest

from shared.messages.answer_format import answer_format
from shared.messages.body import TextFormat, TextOptions
from shared.messages.facts import FACTS_KEY, facts_of
from shared.settings.validation import Reaction, SpanReaction, ValidationSettings
from tests.benchmarks.turn import guarded_answers as answers
from workers.validation.building import build_guardrail
from workers.validation.validator import Draft, Question
from workers.validation.verdict import Conclusion, Verdict, masked

FACTS = facts_of({FACTS_KEY: json.dumps({"balance": {"type": "money", "value": 47.15}})})
QUESTION = Question(facts=FACTS, instructions=("Be a friendly assistant of the bank. " * 8,))
CARD = "4111 1111 1111 1111"


def judged(text: str, question: Question = QUESTION, **settings: object) -> Conclusion:
    guardrail = build_guardrail(ValidationSettings(**settings))  # type: ignore[arg-type]
    return guardrail.judge(Draft(text), question)


def test_a_good_answer_passes_unchanged() -> None:
    conclusion = judged("Your balance is $47.15.")
    assert (conclusion.verdict, conclusion.text) == (Verdict.PASS, "Your balance is $47.15.")
    assert conclusion.catches == ()


def test_a_forbidden_span_is_fixed() -> None:
    conclusion = judged(f"It is {CARD}, or {CARD}.")
    assert conclusion.verdict is Verdict.FIX
    assert conclusion.text == "It is [removed], or [removed]."


def test_the_strictest_verdict_stands_and_all_evidence_is_kept() -> None:
    text = f"Your balance is $1. Card {CARD}. {QUESTION.instructions[0]}"
    conclusion = judged(text)
    assert conclusion.verdict is Verdict.NEXT_PROVIDER
    validators = {catch.validator for catch in conclusion.catches}
    assert validators == {"forbidden_patterns", "injection_echo", "facts"}
    assert CARD not in conclusion.evidence


def test_the_others_judge_what_would_leave() -> None:
    asked = answer_format(TextOptions(TextFormat("json_object")))
    conclusion = judged(f'{{"card": {CARD.replace(" ", "")}}}', Question(answer_format=asked))
    assert conclusion.verdict is Verdict.RE_ASK, "the fix broke the JSON"


@pytest.mark.parametrize("reaction", [each for each in SpanReaction if each != "off"])
def test_the_settings_choose_the_reaction(reaction: SpanReaction) -> None:
    assert judged(CARD, forbidden=reaction).verdict == reaction


def test_what_is_off_catches_nothing() -> None:
    everything = dict.fromkeys(
        ("facts", "empty", "length", "json_schema", "injection_echo"), Reaction.OFF
    )
    text = f"{CARD}: Your balance is $1. {QUESTION.instructions[0]}"
    assert judged(text, forbidden=SpanReaction.OFF, **everything).verdict is Verdict.PASS


def test_verdicts_are_ordered_by_strictness() -> None:
    assert sorted(Verdict, key=lambda verdict: verdict.strictness) == list(Verdict)


def test_little_of_a_secret_is_shown() -> None:
    assert masked("secret-key") == "s…y of 10 characters"
    assert masked("abcd") == "… of 4 characters"
    assert masked("") == "… of 0 characters"


@pytest.mark.parametrize("text", ["prose", "a claim in every sentence"])
def test_an_answer_of_4_kb_costs_about_a_millisecond_at_most(text: str) -> None:
    guardrail, question = build_guardrail(ValidationSettings()), answers.question()
    draft = Draft(answers.prose() if text == "prose" else answers.claims())
    assert guardrail.judge(draft, question).verdict is Verdict.PASS
    assert _seconds(lambda: guardrail.judge(draft, question)) < 0.005


def _seconds(work: Callable[[], object]) -> float:
    """The quickest of many: what else the machine does is not counted."""
    return min(timeit.repeat(work, number=1, repeat=50))

"""An answer for which files were searched states what stands in them, or is asked for again."""

from __future__ import annotations

import pytest

from shared.messages.answer_format import JsonObject
from shared.settings.validation import Reaction, ValidationSettings
from workers.validation.building import build_guardrail
from workers.validation.claims.names import names_in
from workers.validation.validator import Draft, Question
from workers.validation.verdict import Verdict

ASKED = ("How high is the dam at Lake Morrow, and who built it?",)
SEARCHED = Question(
    conversation=ASKED,
    passages=("The dam is 120 m high.", "Built by Greta Solberg, who said “it will hold us all”."),
    is_searched=True,
)


def verdict_on(text: str, question: Question = SEARCHED, **settings: Reaction) -> Verdict:
    guardrail = build_guardrail(ValidationSettings(**settings))
    return guardrail.judge(Draft(text), question).verdict


@pytest.mark.parametrize(
    "text",
    [
        "It is 130 m high [1].",
        "It is 120 m high [3].",
        "It was built by Greta Nilsson [2].",
        "Then Peter Falk came [2].",
        "She said “it will surely fall” [2].",
        "See https://example.com/dam [1].",
    ],
)
def test_what_no_passage_holds_is_asked_for_again(text: str) -> None:
    assert verdict_on(text) is Verdict.RE_ASK
    assert verdict_on(text, grounding_of_searches=Reaction.OFF) is Verdict.PASS


@pytest.mark.parametrize(
    "text",
    [
        "It is 120 m high [1], at Lake Morrow, and Greta Solberg built it [2].",
        "Greta Solberg said “it will hold us all” [2].",
        "# The Great Big Dam\nIt is high [1].",
        "- High Dams hold [1].",
        "The passages do not say it.",
        "Call `dam[3]` of the list [1].",
    ],
)
def test_what_a_passage_or_the_question_holds_passes(text: str) -> None:
    assert verdict_on(text) is Verdict.PASS


def test_where_nothing_was_found_nothing_can_be_stated() -> None:
    nothing = Question(conversation=ASKED, is_searched=True)
    assert verdict_on("It is 120 m high.", nothing) is Verdict.RE_ASK
    assert verdict_on("It is high [1].", nothing) is Verdict.RE_ASK
    assert verdict_on("Nothing was found.", nothing) is Verdict.PASS


def test_what_was_not_searched_is_held_against_nothing_more_than_before() -> None:
    plain = Question(conversation=ASKED)
    assert verdict_on("It is 120 m high [1], says Peter Falk.", plain) is Verdict.PASS
    asked = verdict_on("It is 130 m high.", plain, grounding=Reaction.NEXT_PROVIDER)
    assert asked is Verdict.NEXT_PROVIDER


def test_a_list_in_json_is_no_mark() -> None:
    asked = Question(
        conversation=ASKED,
        passages=SEARCHED.passages,
        is_searched=True,
        answer_format=JsonObject(),
    )
    assert verdict_on('{"heights": [120]}', asked) is Verdict.PASS
    assert verdict_on('{"heights": [130]}', asked) is Verdict.RE_ASK


def test_names_are_words_with_capitals_in_a_row() -> None:
    text = "Then Ada Lovelace met. Charles Babbage (Royal Society) wrote to the Analytical Engine."
    assert list(names_in(text)) == ["Ada Lovelace", "Analytical Engine"]

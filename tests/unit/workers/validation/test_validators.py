"""Each of the other validators: what it catches, and what it lets pass."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from shared.errors import InvalidRequest
from shared.messages.answer_format import answer_format
from shared.messages.body import TextFormat, TextOptions
from shared.messages.facts import Facts, MoneyFact
from workers.validation.amounts import Amounts
from workers.validation.completeness import CutOff, Empty, Length
from workers.validation.grounding import Grounding
from workers.validation.injection_echo import InjectionEcho
from workers.validation.json_schema import JsonFormat
from workers.validation.refusal import RefusalValidator
from workers.validation.validator import Draft, Question, Validator
from workers.validation.verdict import Verdict

RE_ASK = Verdict.RE_ASK
ASKED = Question()


def caught(validator: Validator, text: str, question: Question = ASKED, **draft: Any) -> bool:
    return validator.check(Draft(text, **draft), question) is not None


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m really sorry, I cannot assist you with this request.",
        "I cannot provide that information.",
        "As an AI language model, I am unable to answer.",
        "Sorry, but I won't be able to help with that.",
        "I'm unable to comply.",
    ],
)
def test_a_refusal_at_the_beginning_is_caught(text: str) -> None:
    assert caught(RefusalValidator(verdict=RE_ASK), text)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry to hear that. Your order ships today.",
        "You can reset it in the settings. I can't help with billing though.",
        "I can help with that.",
        "Unfortunately, the train is late.",
    ],
)
def test_an_answer_is_no_refusal(text: str) -> None:
    assert not caught(RefusalValidator(verdict=RE_ASK), text)


def test_an_answer_of_white_space_is_empty() -> None:
    assert caught(Empty(verdict=RE_ASK), " \n\t")
    assert not caught(Empty(verdict=RE_ASK), " .")
    assert not caught(Empty(verdict=RE_ASK), "", is_whole=False)


def test_an_answer_is_cut_off_unless_its_caller_set_the_limit() -> None:
    limited = Question(has_output_limit=True)
    assert caught(CutOff(verdict=RE_ASK), "It is", is_whole=False)
    assert not caught(CutOff(verdict=RE_ASK), "It is", limited, is_whole=False)
    assert not caught(CutOff(verdict=RE_ASK), "It is.")


def test_length_has_two_ends() -> None:
    length = Length(shortest=2, longest=4, verdict=RE_ASK)
    assert [caught(length, "x" * size) for size in (1, 2, 4, 5)] == [True, False, False, True]


INSTRUCTIONS = "You are the assistant of a bank. Never speak of the merger with Hamilton & Sons. "


def test_instructions_word_for_word_are_an_echo() -> None:
    echo = InjectionEcho(characters=60, verdict=RE_ASK)
    question = Question(instructions=("Be brief.", INSTRUCTIONS * 2))
    assert caught(echo, f"My instructions say: {INSTRUCTIONS.upper()}", question)
    assert caught(
        echo, "He said never  speak of\nthe merger with Hamilton & Sons. you are the a", question
    )
    assert not caught(echo, f"It says: {INSTRUCTIONS[:55]}", question)
    assert not caught(echo, INSTRUCTIONS, Question(conversation=(INSTRUCTIONS,)))


GIVEN = Question(
    conversation=("My rent is 850 €. See https://example.com/rent",),
    passages=("The deposit is three months' rent, “returned within 60 days”.",),
)


@pytest.mark.parametrize(
    "text",
    [
        "Your rent is $12,000.",
        "It says “returned within a year or never”.",
        "See [2].",
        "See https://example.com/made-up.",
    ],
)
def test_what_nothing_supports_is_caught(text: str) -> None:
    assert caught(Grounding(verdict=RE_ASK), text, GIVEN)


@pytest.mark.parametrize(
    "text",
    [
        "Your rent of 850 € is due; the deposit comes back in 60 days [1].",
        'It says "Returned within  60 days".',
        "There are 3 steps. See https://example.com/rent.",
        "“Short”",
    ],
)
def test_what_something_supports_passes(text: str) -> None:
    assert not caught(Grounding(verdict=RE_ASK), text, GIVEN)


SCHEMA = {
    "type": "object",
    "properties": {"code": {"type": "string", "pattern": "^(a+)+$"}},
    "required": ["code"],
}


def by_schema(text: str, *, is_whole: bool = True) -> str | None:
    question = Question(answer_format=_format(SCHEMA))
    catch = JsonFormat(verdict=RE_ASK).check(Draft(text, is_whole), question)
    return catch.evidence if catch else None


def _format(schema: dict[str, Any]) -> Any:
    return answer_format(TextOptions(TextFormat("json_schema", "n", schema)))


def test_json_is_held_against_its_schema() -> None:
    assert by_schema('{"code": "aaa"}') is None
    assert by_schema('{"code": "aaa') == "it is not valid JSON"
    assert by_schema('{"code": "s3cret"}') == "code breaks properties/code/pattern"
    assert by_schema("{}") == "the whole breaks required"
    assert by_schema('{"code": ', is_whole=False) is None, "it is told as incomplete"


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"code": "aaa"}\n```',
        'Here it is:\n\n``` json\n{"code": "aaa"}```\nAnything else?',
    ],
)
def test_right_json_is_taken_out_of_its_fence(text: str) -> None:
    question = Question(answer_format=_format(SCHEMA))
    catch = JsonFormat(verdict=RE_ASK).check(Draft(text), question)

    assert catch is not None
    assert (catch.verdict, catch.mended) == (Verdict.FIX, '{"code": "aaa"}')


def test_wrong_json_in_a_fence_and_json_in_two_are_not() -> None:
    assert by_schema('```json\n{"code": 7}\n```') == "it is not valid JSON"
    assert by_schema('```\n{"code": "aaa"}\n```\n```\n{"code": "a"}\n```') is not None


def test_a_pattern_of_a_schema_takes_linear_time() -> None:
    assert by_schema('{"code": "' + "a" * 20_000 + '!"}') is not None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nope"},
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"properties": {"a": {"pattern": "("}}},
    ],
)
def test_a_schema_that_is_none_is_the_callers_fault(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        _format(schema)
    assert refused.value.param == "text.format.schema"


def test_json_object_takes_any_object() -> None:
    wanted = answer_format(TextOptions(TextFormat("json_object")))
    assert wanted is not None
    assert wanted.problem('{"a": 1}') is None
    assert wanted.problem("[1]") == "it is not a JSON object"


@pytest.mark.parametrize("text", [None, TextOptions(), TextOptions(TextFormat("text"))])
def test_plain_text_has_no_format(text: TextOptions | None) -> None:
    assert answer_format(text) is None


BALANCE: Facts = {"balance": MoneyFact(value=Decimal("47.15"), currency="USD")}
PRICED = Question(
    tenant="ten_1",
    instructions=("A transfer costs $2.50.",),
    conversation=("Can I pay the 300 dollars for the bike?",),
    passages=("| plan | EUR |\n| small | 12.90 |",),
    facts=BALANCE,
)


@pytest.mark.parametrize(
    "answer",
    [
        "You own $47.15.",
        "You own about $47.",
        "You own less than $50.",
        "The bike is $300.00, the transfer $2.50.",
        "The small plan is €12.90.",
        "There are 17 plans, all explained on 48 pages since 2026.",
        "",
    ],
)
def test_an_amount_that_was_given_passes(answer: str) -> None:
    assert not caught(Amounts(verdict=RE_ASK), answer, PRICED)


@pytest.mark.parametrize(
    "answer",
    [
        "You own $127,549.32.",
        "You own €47.15.",
        "That leaves you $252.85.",
        "The small plan is $1,290.",
        "A transfer costs £2.50.",
    ],
)
def test_an_amount_that_nothing_holds_is_caught_without_any_name(answer: str) -> None:
    catch = Amounts(verdict=RE_ASK).check(Draft(answer), PRICED)
    assert catch is not None
    assert "127,549" not in catch.evidence + catch.complaint


def test_amounts_are_looked_at_where_the_tenant_says_so() -> None:
    elsewhere = Amounts(verdict=RE_ASK, tenants=frozenset({"ten_2"}))
    here = Amounts(verdict=RE_ASK, tenants=frozenset({"ten_1", "ten_2"}))
    assert not caught(elsewhere, "You own $1.", PRICED)
    assert caught(here, "You own $1.", PRICED)

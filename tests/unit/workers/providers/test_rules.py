"""Rules: the first that fits answers, broken files are named, answering cannot fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.errors import SettingsError
from shared.messages.item import MessageItem, Role
from workers.providers.outcome import Answer, Declined, FinishReason
from workers.providers.provider import Prompt
from workers.providers.rules import BUILT_IN_RULES, RulesProvider

RULES = """
[[rule]]
name = "hours"
answer = "We open at nine, $user."
[rule.when]
contains_any = ["opening hours", "open"]

[[rule]]
name = "refund"
answer = "$tenant refunds: $$20 at most. You wrote: $message"
[rule.when]
contains_all = ["refund", "order"]
tenant = ["shop"]

[[rule]]
name = "greeting"
answer = "Hello!"
[rule.when]
starts_with = ["hi", "good morning"]
"""
DEFAULT = '[default]\nanswer = "Nobody knows."\n'


def prompt(text: str, *, tenant: str = "shop") -> Prompt:
    messages = (MessageItem(Role.USER, text),)
    return Prompt(items=messages, tenant=tenant, user="Ada")


def rules_from(tmp_path: Path, text: str) -> RulesProvider:
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return RulesProvider.from_file(path, name="rules")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("What are your OPENING HOURS?", "We open at nine, Ada."),
        ("Are you open?", "We open at nine, Ada."),
        ("Reopened?", "Nobody knows."),
        (
            "My order: refund!",
            "shop refunds: $20 at most. You wrote: My order: refund!",
        ),
        ("refund please", "Nobody knows."),
        ("Hi, there", "Hello!"),
        ("Hippo", "Nobody knows."),
        ("I say good morning", "Nobody knows."),
        ("", "Nobody knows."),
    ],
)
async def test_the_first_rule_that_fits_answers(tmp_path: Path, text: str, answer: str) -> None:
    outcome = await rules_from(tmp_path, RULES + DEFAULT).answer(prompt(text), time_left_seconds=1)

    assert isinstance(outcome, Answer)
    assert (outcome.text, outcome.finish) == (answer, FinishReason.STOP)


async def test_a_rule_for_one_tenant_is_not_for_another(tmp_path: Path) -> None:
    rules = rules_from(tmp_path, RULES)

    outcome = await rules.answer(prompt("refund my order", tenant="bank"), time_left_seconds=1)

    assert isinstance(outcome, Declined)


async def test_placeholders_in_the_message_stay_what_they_are(tmp_path: Path) -> None:
    rules = rules_from(tmp_path, '[default]\nanswer = "$message"')

    outcome = await rules.answer(prompt("$user ${tenant} $"), time_left_seconds=1)

    assert isinstance(outcome, Answer)
    assert outcome.text == "$user ${tenant} $"


async def test_a_stream_gets_the_answer_as_one_piece(tmp_path: Path) -> None:
    heard: list[str] = []

    async def hear(piece: str) -> None:
        heard.append(piece)

    await rules_from(tmp_path, DEFAULT).answer(prompt("x"), time_left_seconds=1, on_delta=hear)

    assert heard == ["Nobody knows."]


@given(st.text())
async def test_no_message_makes_it_fail(text: str) -> None:
    outcome = await RulesProvider.from_file(BUILT_IN_RULES, name="rules").answer(
        prompt(text), time_left_seconds=0
    )

    assert isinstance(outcome, Answer | Declined)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("[[rule]\n", "is not TOML"),
        ("", "holds no rule. Add a [[rule]] or a [default]."),
        ('[[rules]]\nname = "x"', "unknown key 'rules'. Only [[rule]] and [default] are read."),
        ('[rule]\nname = "x"', "Write [[rule]] with two brackets."),
        ('[[rule]]\nname = "x"\nanswer = "y"', "rule 1 ('x'): Missing required parameter: 'when'."),
        (
            '[[rule]]\nname = "x"\nanswer = "y"\n[rule.when]\ncontain = ["a"]',
            "rule 1 ('x'): Unknown parameter: 'when.contain'. Remove it.",
        ),
        (
            '[[rule]]\nname = "x"\nanswer = "y"\n[rule.when]\ncontains_any = "a"',
            "rule 1 ('x'): Invalid value for 'when.contains_any'",
        ),
        (
            '[[rule]]\nname = "x"\nanswer = "y"\nwhen = {}',
            "rule 1 ('x'): 'when' has no condition. Give one, or make this rule the [default].",
        ),
        (
            '[[rule]]\nname = "x"\nanswer = "y"\n[rule.when]\ncontains_any = ["?"]',
            "rule 1 ('x'): the condition '?' has no word in it. Write a word or a phrase.",
        ),
        ('[default]\nanswer = "$who"', "[default]: the answer has an unknown placeholder '$who'."),
        ('[default]\nanswer = "5 $"', "[default]: the answer has a lone '$'. Write '$$'"),
        ('[default]\nanswer = " "', "[default]: the answer is empty. Write what to say."),
    ],
)
def test_a_broken_file_is_named_with_its_rule_and_the_fix(
    tmp_path: Path, text: str, finding: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        rules_from(tmp_path, text)

    assert any(finding in each for each in caught.value.findings), caught.value.findings
    assert all("rules.toml" in each for each in caught.value.findings)


def test_all_faults_of_a_file_are_found_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        rules_from(tmp_path, '[[rule]]\nname = "a"\n[[rule]]\nname = "b"\n[default]\nanswer = "$x"')

    assert len(caught.value.findings) == 3


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read"):
        RulesProvider.from_file(tmp_path / "nowhere.toml", name="rules")


async def test_what_no_ledger_keeps_is_not_quoted(tmp_path: Path) -> None:
    rules = rules_from(tmp_path, '[default]\nanswer = "You wrote: $message"')

    outcome = await rules.answer(prompt("half\0way"), time_left_seconds=1)

    assert isinstance(outcome, Answer)
    assert outcome.text == "You wrote: halfway"


def test_a_rule_that_no_ledger_keeps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="NUL"):
        rules_from(tmp_path, '[default]\nanswer = "half\\u0000way"')


async def test_rules_leave_a_prompt_that_asks_how_likely_tokens_are(tmp_path: Path) -> None:
    rules = rules_from(tmp_path, '[default]\nanswer = "Yes."')

    outcome = await rules.answer(replace(prompt("Hi"), top_logprobs=0), time_left_seconds=1)

    assert isinstance(outcome, Declined)
    assert "logprobs" in outcome.reason

"""Which of two answers is better, by a judge that may be biased or talk nonsense."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from shared.evaluation.golden.answered import AnsweredCase
from shared.evaluation.judging.pair_judge import ComparedAnswers, PairJudge, PairVerdict

Says = Callable[[dict[str, str]], str]


async def judged(
    says: Says, *, model: str = "judge-1", cost: str | None = "0.1"
) -> ComparedAnswers:
    async def ask(body: dict[str, Any]) -> AnsweredCase:
        assert body["store"] is False
        text = says(json.loads(body["input"]))
        spent = None if cost is None else Decimal(cost)
        return AnsweredCase(state="completed", model=model, text=text, told_cost=spent)

    judge = PairJudge("judge", "shorter", ask=ask)
    return await judge.compare("Why?", known="Because it is so.", other="So.")


def preferring(chosen: Callable[[dict[str, str]], str]) -> Says:
    return lambda told: json.dumps({"reason": "So.", "better": chosen(told)})


def shorter(told: dict[str, str]) -> str:
    return "first" if len(told["first"]) < len(told["second"]) else "second"


def longer(told: dict[str, str]) -> str:
    return "second" if shorter(told) == "first" else "first"


@pytest.mark.parametrize(
    ("chosen", "verdict"),
    [
        (shorter, PairVerdict.WIN),
        (longer, PairVerdict.LOSS),
        (lambda _: "first", PairVerdict.TIE),
        (lambda _: "second", PairVerdict.TIE),
        (lambda _: "neither", PairVerdict.TIE),
    ],
)
async def test_a_verdict_is_what_both_orders_say(
    chosen: Callable[[dict[str, str]], str], verdict: PairVerdict
) -> None:
    said = await judged(preferring(chosen))
    assert (said.verdict, said.cost) == (verdict, Decimal("0.2"))


@pytest.mark.parametrize(
    "nonsense",
    ["", "The first.", '{"better":"first"}', '{"reason":"","better":"both"}', "[" * 9999],
)
async def test_nonsense_is_asked_for_once_more_and_is_no_verdict(nonsense: str) -> None:
    said = await judged(lambda _: nonsense)
    assert (said.verdict, said.cost) == (None, Decimal("0.2"))
    assert "no JSON of the form asked for" in said.why


async def test_who_is_not_the_judge_gives_no_verdict() -> None:
    said = await judged(preferring(shorter), model="another", cost=None)
    assert (said.verdict, said.cost) == (None, None)
    assert "another" in said.why


async def test_nobody_is_asked_of_two_answers_that_are_the_same() -> None:
    async def ask(_: dict[str, Any]) -> AnsweredCase:
        raise AssertionError("it was asked")

    said = await PairJudge("judge", "", ask=ask).compare("Why?", known="So.", other="So.")
    assert (said.verdict, said.cost) == (PairVerdict.TIE, 0)

"""Checks of how an answer came about, and of what it has beside its text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from shared.evaluation.golden.answered import AnsweredCase
from shared.evaluation.golden.case import GoldenCase
from shared.evaluation.golden.checks import (
    CostCheck,
    GuardrailCheck,
    LatencyCheck,
    RetrievalCheck,
    StateCheck,
    ToolCallCheck,
)
from workers.evaluation.text_checks import HELD, Said

_UNSEEN: Final = "Its ledger is not at hand: run it where FOREBAY_LEDGER__URL is the door's."


def guardrail_holds(check: GuardrailCheck, _case: GoldenCase, answered: AnsweredCase) -> Said:
    """What was caught before it."""
    if answered.sight is None:
        return None, _UNSEEN
    caught = answered.sight.caught
    if caught == set(check.caught):
        return HELD
    return False, f"Caught by {', '.join(sorted(caught)) or 'no validator'}."


def retrieval_holds(check: RetrievalCheck, _case: GoldenCase, answered: AnsweredCase) -> Said:
    """One of the documents is cited."""
    if any(_is(cited, wanted) for cited in answered.cited for wanted in check.documents):
        return HELD
    return False, "It cites none of them." if answered.cited else "It cites nothing."


def tool_call_holds(check: ToolCallCheck, _case: GoldenCase, answered: AnsweredCase) -> Said:
    """A tool is called so."""
    named = [each for each in answered.calls if each.name == check.name]
    if not named:
        return False, "The tool is not called."
    if any(_holds(_arguments(each.arguments), check.arguments) for each in named):
        return HELD
    return False, "It is called with other arguments."


def state_holds(check: StateCheck, _case: GoldenCase, answered: AnsweredCase) -> Said:
    """How it ended."""
    return HELD if answered.state == check.state else (False, f"It ended {answered.state}.")


def latency_holds(check: LatencyCheck, _case: GoldenCase, answered: AnsweredCase) -> Said:
    """How long it took."""
    seconds = answered.sight.seconds if answered.sight else None
    if seconds is None:
        return None, _UNSEEN
    return HELD if seconds <= check.seconds else (False, f"It took {seconds:.2f} s.")


def cost_holds(check: CostCheck, _case: GoldenCase, answered: AnsweredCase) -> Said:
    """What it cost."""
    if answered.cost is None:
        return None, "What it cost is not known: set a price of its model."
    # As it is written in the set: of a binary number the last digits are somebody else's.
    is_within = answered.cost <= Decimal(str(check.usd))
    return HELD if is_within else (False, f"It cost {answered.cost:f} USD.")


def _is(cited: str, wanted: str) -> bool:
    return cited == wanted or cited.endswith(f"/{wanted}") or wanted.endswith(f"/{cited}")


def _arguments(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _holds(given: Any, wanted: Mapping[str, Any]) -> bool:
    return isinstance(given, dict) and all(
        name in given and given[name] == value for name, value in wanted.items()
    )

"""What can be expected of an answer: checks first, a judge for what none of them can say."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Named = Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1)]


class _Check(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind"
):
    """One thing that must hold."""


class ExactCheck(_Check, frozen=True, tag="exact"):
    """The answer is this text; blanks at its ends do not count."""

    text: str
    ignore_case: bool = False


class RegexCheck(_Check, frozen=True, tag="regex"):
    """A part of the answer matches, or none does where it must be `absent`. RE2's syntax."""

    pattern: _Text
    absent: bool = False


class SchemaCheck(_Check, frozen=True, tag="schema"):
    """The answer is JSON of this schema."""

    schema: dict[str, Any]


class FactsCheck(_Check, frozen=True, tag="facts"):
    """No sentence of the answer contradicts a fact of the case; one that does is a
    hallucination."""


class GuardrailCheck(_Check, frozen=True, tag="guardrail"):
    """Exactly these validators caught a draft before the answer; none of them may where it is
    empty."""

    caught: tuple[str, ...] = ()


class RetrievalCheck(_Check, frozen=True, tag="retrieval"):
    """One of these documents is cited, by its path or the end of it; an answer that cites nothing,
    or only others, is a hallucination."""

    documents: _Named


class ToolCallCheck(_Check, frozen=True, tag="tool_call"):
    """The tool is called, and each of these arguments has this value; others may be there."""

    name: _Text
    arguments: dict[str, Any] = {}


class StateCheck(_Check, frozen=True, tag="state"):
    """The response ends so, such as `requires_action`; without this check it must be completed."""

    state: _Text


class LatencyCheck(_Check, frozen=True, tag="latency"):
    """From its claim by a worker to its end it takes no longer."""

    seconds: Annotated[float, msgspec.Meta(gt=0)]


class CostCheck(_Check, frozen=True, tag="cost"):
    """All its attempts cost no more, in US dollars."""

    usd: Annotated[float, msgspec.Meta(ge=0)]


class JudgeCheck(_Check, frozen=True, tag="judge"):
    """A model says that the answer meets the rubric. With `hallucination` one that does not is
    counted as such."""

    rubric: _Text
    hallucination: bool = False


Check = (
    ExactCheck
    | RegexCheck
    | SchemaCheck
    | FactsCheck
    | GuardrailCheck
    | RetrievalCheck
    | ToolCallCheck
    | StateCheck
    | LatencyCheck
    | CostCheck
    | JudgeCheck
)


def kind_of(check: Check) -> str:
    """As it is written in a set."""
    return str(check.__struct_config__.tag)

"""What a scripted provider can do with a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from deploy.scripted_provider.behaviour import Count, Seconds

Status = Annotated[int, msgspec.Meta(ge=400, le=599)]


class BatchBehaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to treat a batch; several troubles may be put together. `times` bounds its use."""

    seconds: Seconds = 0.0
    """It runs for so long before it ends."""
    never_ends: bool = False
    fails: str | None = None
    """Why the whole of it is refused after it was taken; only OpenAI's can be."""
    holds_limit: bool = False
    """Its tokens stay enqueued when it has failed."""
    enqueued_limit_tokens: Count | None = None
    """It fails where it and those under way have more."""
    expires: bool = False
    """It ends by its window: what was not answered by then has expired."""
    answered: Count | None = None
    """How many of its items are answered before it expires or is cancelled; None for all of one
    that ends, and for none of one that is cancelled."""
    unknown: Count = 0
    """Results for items that nobody sent."""
    repeated: Count = 0
    """How many of its first results come twice."""
    lost: Count = 0
    """How many of its last items have no result at all."""
    unordered: bool = False
    """Its results come the last one first."""
    cut_results: bool = False
    """Its results end in the middle of a line."""
    results_url: str | None = None
    """Where its results are said to be, when not here; only Anthropic says where."""
    refused_with: Status | None = None
    """The status that its creation is answered with; it is not made."""
    loses_answer: bool = False
    """It is made, and the connection is cut before the answer."""
    look_fails_with: Status | None = None
    """The status that every look at it is answered with."""
    times: Count | None = None
    """How many batches are treated so; None for all."""


class BatchRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    behave: BatchBehaviour
    model: str | None = None
    """Of which model's batches; None for any."""


class BatchScript:
    """Rules in order; the first that takes a batch decides. Without one it ends at once."""

    def __init__(self) -> None:
        self._rules: list[BatchRule] = []
        self._used: list[int] = []

    def add(self, rules: Sequence[BatchRule]) -> None:
        self._rules.extend(rules)
        self._used.extend(0 for _ in rules)

    def clear(self) -> None:
        self._rules.clear()
        self._used.clear()

    def __len__(self) -> int:
        return len(self._rules)

    def behaviour_for(self, model: str) -> BatchBehaviour:
        for place, rule in enumerate(self._rules):
            times = rule.behave.times
            if rule.model in {None, model} and (times is None or self._used[place] < times):
                self._used[place] += 1
                return rule.behave
        return BatchBehaviour()

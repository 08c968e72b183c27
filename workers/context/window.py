"""Fit a conversation into a token budget without hurting what matters.

What is given up, in this order: the least important of the older items, then the oldest of the
last five. System and developer items are never given up, nor is the newest item, or all that tools
were asked since the user's newest message. A call and its outputs stay or go together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, compress
from typing import Final

import msgspec

from shared.messages.item import FunctionCallOutput, Item, are_only_text
from shared.token_count import estimated_tokens
from workers.context.importance import Importance
from workers.context.tokens import TokenCounter
from workers.context.units import newest_turn, units_of

RECENT_ITEMS: Final = 5
"""So many items at the end are kept full as long as they fit."""
TOKENS_PER_ITEM: Final = 4
"""What the wire formats of models add around each item."""


class MessageTooLong(Exception):
    """What is to be answered now, with its instructions, is over the budget."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A summary that stands for the first `covered` items of the talk, in a form to be read."""

    item: Item
    covered: int


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What fits, in order, and what became of the rest, in items."""

    items: list[Item]
    kept: int
    summarised: int = 0
    dropped: int = 0
    tokens: int
    is_crowded: bool = False
    """Whether so much is neither recent nor summarised that a summary is worth its price."""


class Fitter:
    """Fits conversations for one counter of tokens; keeps nothing of them but findings."""

    def __init__(
        self, counter: TokenCounter, importance: Importance, *, crowded_share: float = 0.75
    ) -> None:
        self._counter = counter
        self._importance = importance
        self._crowded_share = crowded_share

    def tokens(self, item: Item) -> int:
        """What an item takes of the budget."""
        return self._counter.count(item.text()) + _beside_text(item) + TOKENS_PER_ITEM

    def costs(self, items: Sequence[Item]) -> list[int]:
        """The same for each of them."""
        count = self._counter.count
        if are_only_text(items):
            return [count(item.text()) + TOKENS_PER_ITEM for item in items]
        return list(map(self.tokens, items))

    def fit(
        self, items: Sequence[Item], *, token_budget: int, digest: Digest | None = None
    ) -> Window:
        """As much of `items` as fits, order kept, with the digest before the talk if all does not.

        Raises MessageTooLong when what is to be answered and the instructions are over the budget.
        """
        costs = self.costs(items)
        if (tokens := sum(costs)) <= token_budget and _is_short_talk(items):
            return Window(items=list(items), kept=len(items), tokens=tokens)
        return _Fitting(self, items, costs, token_budget, digest).window()

    def scores(self, talk: Sequence[Item]) -> list[float]:
        return self._importance.scores(talk, [item.text() for item in talk])

    def is_crowded(self, tokens: int, room: int) -> bool:
        """Whether `tokens` that are only kept while there is room fill too much of it."""
        return tokens > self._crowded_share * max(0, room)


def _is_short_talk(items: Sequence[Item]) -> bool:
    """Whether all of it is recent: most messages have no history, and are kept as they are."""
    return len(items) <= RECENT_ITEMS and are_only_text(items)


def _beside_text(item: Item) -> int:
    """Tokens of what is no text of it: images, files, thoughts."""
    if item.only_text:
        return 0
    return max(0, item.tokens() - estimated_tokens(item.text()))


class _Fitting:
    """One conversation on its way into one budget.

    Instructions are given in any case; the rest, the talk, in units, each a range of its numbers.
    """

    def __init__(
        self,
        fitter: Fitter,
        items: Sequence[Item],
        costs: list[int],
        token_budget: int,
        digest: Digest | None,
    ) -> None:
        self._fitter = fitter
        self._items = items
        self._budget = token_budget
        self._digest = digest
        self._costs = costs
        self._places = [place for place, item in enumerate(items) if not item.role.instructs]
        self._until = [0, *accumulate(self._costs[place] for place in self._places)]
        self._chosen = [item.role.instructs for item in items]
        self._left = token_budget - sum(compress(self._costs, self._chosen))
        self._covered = 0

    def window(self) -> Window:
        older, recent, newest = self._parts()
        needed = sum(map(self._cost, newest))
        if needed > self._left:
            raise self._too_long(needed)
        for unit in newest:
            self._keep(unit)
        recent_fit = self._keep_recent(recent)
        is_crowded = self._is_crowded(older)
        if self._digest is not None and sum(self._costs) > self._budget:
            self._place_digest(self._digest)
        if recent_fit:
            self._keep_important(older)
        return self._result(is_crowded=is_crowded)

    def _parts(self) -> tuple[list[range], list[range], list[range]]:
        """What may go by its importance, what goes last, and what the model is to answer now."""
        talk = [self._items[place] for place in self._places]
        if are_only_text(talk):
            units, newest = [range(n, n + 1) for n in range(len(talk))], max(0, len(talk) - 1)
        else:
            units = units_of(talk)
            newest = newest_turn(talk, units)
        recent = newest
        while recent and len(talk) - units[recent - 1].stop < RECENT_ITEMS - 1:
            recent -= 1
        # The output of a call that lies further back than is read can be given to no model.
        kept = [
            unit for unit in units[:newest] if not isinstance(talk[unit[0]], FunctionCallOutput)
        ]
        older = [unit for unit in kept if unit.stop <= (units[recent].start if units else 0)]
        return older, kept[len(older) :], units[newest:]

    def _cost(self, unit: range) -> int:
        return self._until[unit.stop] - self._until[unit.start]

    def _keep_recent(self, recent: Sequence[range]) -> bool:
        """Keep the last units, newest first; False when one of them found no room."""
        for unit in reversed(recent):
            if self._cost(unit) > self._left:
                return False
            self._keep(unit)
        return True

    def _is_crowded(self, older: Sequence[range]) -> bool:
        room, covered = self._left, 0
        if self._digest is not None:
            room, covered = room - self._fitter.tokens(self._digest.item), self._digest.covered
        tokens = sum([self._cost(unit) for unit in older if unit.stop > covered])
        return self._fitter.is_crowded(tokens, room)

    def _place_digest(self, digest: Digest) -> None:
        cost = self._fitter.tokens(digest.item)
        if cost <= self._left:
            self._left -= cost
            self._covered = digest.covered

    def _keep_important(self, older: Sequence[range]) -> None:
        """What no summary stands for comes first, however unimportant: it is lost otherwise."""
        if sum(map(self._cost, older)) <= self._left:
            for unit in older:
                self._keep(unit)
            return
        scores = self._fitter.scores([self._items[place] for place in self._places])
        ranked = sorted(
            older,
            key=lambda unit: (
                unit.stop <= self._covered,
                -max(scores[unit.start : unit.stop]),
                -unit.start,
            ),
        )
        for unit in ranked:
            if self._cost(unit) <= self._left:
                self._keep(unit)

    def _keep(self, unit: range) -> None:
        for place in self._places[unit.start : unit.stop]:
            self._chosen[place] = True
        self._left -= self._cost(unit)

    def _result(self, *, is_crowded: bool) -> Window:
        kept = list(compress(self._items, self._chosen))
        summarised = sum(not self._chosen[place] for place in self._places[: self._covered])
        items = kept
        if self._digest is not None and self._covered:
            before = self._chosen[: self._places[0]].count(True)
            items = [*kept[:before], self._digest.item, *kept[before:]]
        return Window(
            items=items,
            kept=len(kept),
            summarised=summarised,
            dropped=len(self._items) - len(kept) - summarised,
            tokens=self._budget - self._left,
            is_crowded=is_crowded,
        )

    def _too_long(self, newest: int) -> MessageTooLong:
        needed = self._budget - self._left + newest
        return MessageTooLong(
            f"The input has about {needed} tokens and the limit is {self._budget}. "
            "Shorten 'input' or 'instructions', or raise context.token_budget."
        )

"""Fit a conversation into a token budget without hurting what matters.

What is given up, in this order: the least important of the older items, then the oldest of the
last five. System and developer items and the newest item are never given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Final

from shared.messages.item import Item
from workers.context.importance import Importance
from workers.context.tokens.counter import TokenCounter

RECENT_ITEMS: Final = 5
"""So many items at the end are kept full as long as they fit."""
TOKENS_PER_ITEM: Final = 4
"""What the wire formats of models add around each item."""


class MessageTooLong(Exception):
    """The newest item alone, with its instructions, is over the budget."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A summary that stands for the first `covered` items of the talk, in a form to be read."""

    item: Item
    covered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
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
        return self._counter.count(item.text()) + TOKENS_PER_ITEM

    def costs(self, items: Sequence[Item]) -> list[int]:
        """The same for each of them."""
        count = self._counter.count
        return [count(item.text()) + TOKENS_PER_ITEM for item in items]

    def fit(
        self, items: Sequence[Item], *, token_budget: int, digest: Digest | None = None
    ) -> Window:
        """As much of `items` as fits, order kept, with the digest before the talk if all does not.

        Raises MessageTooLong when the newest item and the instructions are over the budget.
        """
        return _Fitting(self, items, token_budget, digest).window()

    def scores(self, talk: Sequence[Item]) -> list[float]:
        return self._importance.scores(talk, [item.text() for item in talk])

    def is_crowded(self, tokens: int, room: int) -> bool:
        """Whether `tokens` that are only kept while there is room fill too much of it."""
        return tokens > self._crowded_share * max(0, room)


class _Fitting:
    """One conversation on its way into one budget."""

    def __init__(
        self,
        fitter: Fitter,
        items: Sequence[Item],
        token_budget: int,
        digest: Digest | None,
    ) -> None:
        self._fitter = fitter
        self._items = items
        self._budget = token_budget
        self._digest = digest
        self._costs = fitter.costs(items)
        self._talk = [place for place, item in enumerate(items) if not item.role.instructs]
        self._chosen = [item.role.instructs for item in items]
        self._left = token_budget - sum(compress(self._costs, self._chosen))
        self._covered = 0

    def window(self) -> Window:
        if self._cost_of_newest() > self._left:
            raise self._too_long()
        recent_fit = self._keep_recent()
        older = self._talk[:-RECENT_ITEMS]
        is_crowded = self._is_crowded(older)
        if self._digest is not None and sum(self._costs) > self._budget:
            self._place_digest(self._digest)
        if recent_fit:
            self._keep_important(older)
        return self._result(is_crowded=is_crowded)

    def _cost_of_newest(self) -> int:
        return self._costs[self._talk[-1]] if self._talk else 0

    def _keep_recent(self) -> bool:
        """Keep the last items, newest first; False when one of them found no room."""
        for place in reversed(self._talk[-RECENT_ITEMS:]):
            if self._costs[place] > self._left:
                return False
            self._keep(place)
        return True

    def _is_crowded(self, older: Sequence[int]) -> bool:
        room, covered = self._left, 0
        if self._digest is not None:
            room, covered = room - self._fitter.tokens(self._digest.item), self._digest.covered
        return self._fitter.is_crowded(sum(self._costs[place] for place in older[covered:]), room)

    def _place_digest(self, digest: Digest) -> None:
        cost = self._fitter.tokens(digest.item)
        if cost <= self._left:
            self._left -= cost
            self._covered = digest.covered

    def _keep_important(self, older: Sequence[int]) -> None:
        """What no summary stands for comes first, however unimportant: it is lost otherwise."""
        if sum(self._costs[place] for place in older) <= self._left:
            for place in older:
                self._keep(place)
            return
        scores = self._fitter.scores([self._items[place] for place in self._talk])
        ranked = sorted(
            range(len(older)), key=lambda nth: (nth < self._covered, -scores[nth], -nth)
        )
        for nth in ranked:
            if self._costs[older[nth]] <= self._left:
                self._keep(older[nth])

    def _keep(self, place: int) -> None:
        self._chosen[place] = True
        self._left -= self._costs[place]

    def _result(self, *, is_crowded: bool) -> Window:
        kept = list(compress(self._items, self._chosen))
        summarised = sum(not self._chosen[place] for place in self._talk[: self._covered])
        items = kept
        if self._digest is not None and self._covered:
            before = self._chosen[: self._talk[0]].count(True)
            items = [*kept[:before], self._digest.item, *kept[before:]]
        return Window(
            items=items,
            kept=len(kept),
            summarised=summarised,
            dropped=len(self._items) - len(kept) - summarised,
            tokens=self._budget - self._left,
            is_crowded=is_crowded,
        )

    def _too_long(self) -> MessageTooLong:
        needed = self._budget - self._left + self._cost_of_newest()
        return MessageTooLong(
            f"The input has about {needed} tokens and the limit is {self._budget}. "
            "Shorten 'input' or 'instructions', or raise context.token_budget."
        )

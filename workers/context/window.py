"""Fit a conversation into a token budget without hurting what matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.messages.input_item import InputItem, Role
from shared.token_count import estimated_tokens

_TOKENS_PER_ITEM: Final = 4
"""What the wire formats of models add around each item."""
_KEPT_WHOLE: Final = frozenset({Role.SYSTEM, Role.DEVELOPER})


class MessageTooLong(Exception):
    """The message alone, with its instructions, is over the budget."""


@dataclass(frozen=True, slots=True)
class Window:
    """What fits, in order, and how many earlier items did not."""

    items: list[InputItem]
    forgotten: int


def fit(earlier: Sequence[InputItem], message: Sequence[InputItem], *, token_budget: int) -> Window:
    """The newest of `earlier` that fit beside `message`, order kept.

    System and developer items of either part are kept whole and never dropped, nor is the message.
    Raises MessageTooLong when those alone are over the budget.
    """
    chosen = {place for place, item in enumerate(earlier) if item.role in _KEPT_WHOLE}
    left = token_budget - sum(map(token_count, message))
    left -= sum(token_count(earlier[place]) for place in chosen)
    if left < 0:
        raise MessageTooLong(
            f"The input has about {token_budget - left} tokens and the limit is {token_budget}. "
            "Shorten 'input' or 'instructions', or raise context.token_budget."
        )
    for place in reversed(range(len(earlier))):
        if place in chosen:
            continue
        left -= token_count(earlier[place])
        if left < 0:
            break
        chosen.add(place)
    items = [earlier[place] for place in sorted(chosen)]
    return Window([*items, *message], len(earlier) - len(items))


def token_count(item: InputItem) -> int:
    """The tokens of one item, estimated from its length."""
    return estimated_tokens(len(item.text)) + _TOKENS_PER_ITEM

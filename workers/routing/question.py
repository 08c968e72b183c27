"""What the score is taken of: the newest words of the user, and what surrounds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.messages.body import Body, TextOptions
from shared.messages.item import FunctionCallOutput, Item, MessageItem, Role

HEAD_CHARACTERS: Final = 2_000
TAIL_CHARACTERS: Final = 1_000
"""Of a longer text only its two ends are read: what is asked stands there, and so the cost of a
score does not grow with what was pasted between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedQuestion:
    """What a message asks, as far as a score looks at it."""

    text: str
    """The newest message of the user, or its two ends."""
    characters: int
    """The length of all of it."""
    earlier: int = 0
    """Messages of the conversation before it."""
    max_output_tokens: int | None = None
    is_structured: bool = False
    """Whether the answer must be JSON."""


def question_of(body: Body, items: Sequence[Item]) -> RoutedQuestion:
    """The question in `body`, given all `items` that the model will see, recalled ones too.

    Instructions are left out: they are the same for each message of an agent and would make all
    of its messages equally hard. What tools gave since asks nothing: all steps towards one answer
    are as hard as what the user asked.
    """
    spoken = [item for item in items if not item.role.instructs]
    end = len(spoken)
    if spoken and isinstance(spoken[-1], FunctionCallOutput):
        end = next((n for n in range(end, 0, -1) if _is_users(spoken[n - 1])), 0)
    newest = end
    while newest and _is_users(spoken[newest - 1]):
        newest -= 1
    text = "\n".join(item.text() for item in spoken[newest:end])
    return RoutedQuestion(
        text=excerpt(text),
        characters=len(text),
        earlier=newest,
        max_output_tokens=body.max_output_tokens,
        is_structured=_is_structured(body.text),
    )


def excerpt(text: str) -> str:
    """The text, or its head and its tail where it is long."""
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return text
    return f"{text[:HEAD_CHARACTERS]}\n{text[-TAIL_CHARACTERS:]}"


def _is_users(item: Item) -> bool:
    return isinstance(item, MessageItem) and item.role is Role.USER


def _is_structured(text: TextOptions | None) -> bool:
    return text is not None and text.format is not None

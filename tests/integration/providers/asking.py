"""The question that these tests ask, and what they hear back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.messages.input_item import Role
from workers.providers.anthropic import AnthropicProvider
from workers.providers.failures import ProviderError
from workers.providers.openai_compatible import OpenAICompatibleProvider
from workers.providers.provider import Message, Prompt

HttpProvider = OpenAICompatibleProvider | AnthropicProvider
Build = Callable[..., HttpProvider]
BuildFor = Callable[[str], HttpProvider]
"""Of the wire format, `openai` or `anthropic`."""

QUESTION = "How many roads must a man walk down?"
ECHO = f"You said: {QUESTION}"


def prompt(text: str = QUESTION, **changes: object) -> Prompt:
    messages = (
        Message(role=Role.SYSTEM, content="Be brief."),
        Message(role=Role.USER, content=text),
    )
    return Prompt(messages=messages, **changes)  # type: ignore[arg-type]


class Heard:
    """The text a caller has received."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    async def __call__(self, piece: str) -> None:
        self.pieces.append(piece)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


async def failure(
    provider: HttpProvider, *, heard: Heard | None = None, time_left_seconds: float = 10.0
) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await provider.answer(prompt(), time_left_seconds=time_left_seconds, on_delta=heard)
    return caught.value

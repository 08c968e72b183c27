"""The question that these tests ask, and what they hear back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.messages.item import MessageItem, Role
from shared.settings.providers import ProviderKind, ProviderSettings
from workers.providers.anthropic import MESSAGES
from workers.providers.failures import ProviderError
from workers.providers.openai_compatible import CHAT_COMPLETIONS
from workers.providers.provider import Prompt, Provider
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.http_model import HttpModel
from workers.providers.wire.timeouts import Timeouts

BuildFor = Callable[[str], HttpModel]
"""Of the wire format, `openai` or `anthropic`."""

QUESTION = "How many roads must a man walk down?"
ECHO = f"You said: {QUESTION}"

APIS = {"openai": CHAT_COMPLETIONS, "anthropic": MESSAGES}
KINDS = {"openai": ProviderKind.OPENAI_COMPATIBLE, "anthropic": ProviderKind.ANTHROPIC}


def http_model(
    connections: ProviderConnections,
    base_url: str,
    *,
    wire: str = "openai",
    timeouts: Timeouts | None = None,
    **settings: object,
) -> HttpModel:
    """A provider of the wire format, `openai` or `anthropic`, that asks the model `m`."""
    named = {"name": "model", "model": "m", "base_url": base_url, **settings}
    provider = ProviderSettings(kind=KINDS[wire], **named)  # type: ignore[arg-type]
    return APIS[wire].build(provider, connections, timeouts=timeouts)


def prompt(text: str = QUESTION, **changes: object) -> Prompt:
    messages = (
        MessageItem(Role.SYSTEM, "Be brief."),
        MessageItem(Role.USER, text),
    )
    return Prompt(items=messages, **changes)  # type: ignore[arg-type]


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
    provider: Provider, *, heard: Heard | None = None, time_left_seconds: float = 60.0
) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await provider.answer(prompt(), time_left_seconds=time_left_seconds, on_delta=heard)
    return caught.value

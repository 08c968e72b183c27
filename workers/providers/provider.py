"""The one protocol that every provider speaks, and the prompt it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared.messages.input_item import Role
from shared.messages.turn_report import ContextReport
from workers.providers.outcome import Outcome

AUTOMATIC_MODEL = "auto"
"""The model name by which a caller leaves the choice to us."""

TextSink = Callable[[str], Awaitable[None]]
"""Receives the text of an answer piece by piece, as it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """All that a provider is told. `None` leaves a parameter to the provider's own default."""

    messages: tuple[Message, ...]
    model: str = AUTOMATIC_MODEL
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    tenant: str = ""
    user: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Passed through to the provider's request body as it is (`response_format`, `seed`, …)."""
    context: ContextReport | None = None
    """How it was shortened, where it was; no provider is told."""

    @property
    def last_user_message(self) -> str:
        """The text the answer is for; empty when nobody but the system spoke."""
        for message in reversed(self.messages):
            if message.role is Role.USER:
                return message.content
        return ""


class Provider(Protocol):
    """Somebody who can answer a prompt: a model behind HTTP, the rules, or a human."""

    @property
    def name(self) -> str:
        """The name given in the settings; unique within a chain."""

    def model_for(self, requested: str) -> str:
        """The model that would be called for the requested name or alias."""

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: TextSink | None = None
    ) -> Outcome:
        """Answer within the time left, or raise a `ProviderError`.

        With `on_delta` the text is also handed over while it is written; what was handed over,
        joined, is the text of the answer. An error raised by `on_delta` itself passes unchanged.
        One call is one attempt: a provider never retries on its own.
        """

    async def close(self) -> None:
        """Release what the provider itself opened; a shared HTTP session is left open."""

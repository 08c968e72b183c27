"""The one protocol that every provider speaks, and the prompt it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from shared.messages.item import Role
from shared.messages.turn_report import ContextReport, Tier
from shared.settings.providers import ProviderSettings
from workers.providers.outcome import Outcome

AUTOMATIC_MODEL = "auto"
"""The model name by which a caller leaves the choice to us."""

TextSink = Callable[[str], Awaitable[None]]
"""Receives the text of an answer piece by piece, as it is written."""

_BETWEEN: Final = "\n\n"


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


_OPENING: Final = Message(role=Role.USER, content="…")
"""Stands for what the user said before an answer that a conversation begins with."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Instructions, then user and assistant in turn; the user first, and nothing blank.

    What was said is kept whole and in order: neighbours of one role become one message, and all
    instructions stand first. Of instructions alone the user is made the speaker. The last word of
    an assistant, which it goes on from, loses its trailing white space.
    """

    instructions: str
    spoken: tuple[Message, ...]

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Conversation:
        said = [each for each in messages if each.content and not each.content.isspace()]
        if len(said) == 1 and said[0].role is Role.USER:
            return cls("", (said[0],))
        instructions = [each.content for each in said if each.role.instructs]
        spoken = list(_joined([each for each in said if not each.role.instructs]))
        if spoken and spoken[0].role is not Role.USER:
            spoken.insert(0, _OPENING)
        if not spoken:
            spoken, instructions = _as_user(instructions), []
        elif spoken[-1].role is Role.ASSISTANT:
            last = spoken.pop()
            spoken.append(Message(role=last.role, content=last.content.rstrip()))
        return cls(_BETWEEN.join(instructions), tuple(spoken))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A requested name that the provider serves is kept; a tier gets the provider's model of it.

    Any other name, `auto` too, gets the default. At least one model must be given; without a
    default it is the large one, the first of `served`, or the small one.
    """

    default: str | None = None
    served: tuple[str, ...] = ()
    small: str | None = None
    large: str | None = None

    @classmethod
    def of(cls, settings: ProviderSettings) -> ModelChoice:
        """The choice that the settings leave."""
        return cls(
            default=settings.model,
            served=settings.named_models,
            small=settings.small_model,
            large=settings.large_model,
        )

    @property
    def has_tiers(self) -> bool:
        """Whether easy and hard messages get different models here."""
        return self.model_for(Tier.SMALL) != self.model_for(Tier.LARGE)

    def model_for(self, requested: str) -> str:
        if requested in self.served:
            return requested
        if requested == Tier.SMALL:
            return self.small or self._usual
        if requested == Tier.LARGE:
            return self.large or self._usual
        return self._usual

    @property
    def _usual(self) -> str:
        usual = self.default or self.large or (self.served[0] if self.served else self.small)
        if usual is None:
            raise ValueError("a choice needs at least one model")
        return usual


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


def _joined(messages: Sequence[Message]) -> Iterator[Message]:
    """The messages with neighbours of one role as one."""
    role, texts = Role.USER, list[str]()
    for message in messages:
        if texts and message.role is not role:
            yield Message(role=role, content=_BETWEEN.join(texts))
            texts = []
        role = message.role
        texts.append(message.content)
    if texts:
        yield Message(role=role, content=_BETWEEN.join(texts))


def _as_user(instructions: list[str]) -> list[Message]:
    text = _BETWEEN.join(instructions)
    return [Message(role=Role.USER, content=text)] if text else []

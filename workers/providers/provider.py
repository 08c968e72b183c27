"""The one protocol that every provider speaks, and the prompt it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final, Protocol

import msgspec

from shared.messages.item import Item, MessageItem, ReasoningItem, Role, are_only_text
from shared.messages.output import Logprobs
from shared.messages.requests.breakpoints import breakpoints_of
from shared.messages.tool import FunctionTool, ReasoningOptions, ToolChoice
from shared.messages.turn_report import ContextReport, Tier
from shared.settings.providers import ProviderSettings
from shared.token_count import tokens_of_size
from workers.providers.outcome import Outcome

AUTOMATIC_MODEL = "auto"
"""The model name by which a caller leaves the choice to us."""

Piece = str | ReasoningItem | Logprobs
Sink = Callable[[Piece], Awaitable[None]]
"""Receives an answer as it is written: thoughts, then text in pieces, each behind its logprobs."""

_BETWEEN: Final = "\n\n"
_NOTE: Final = """\
<system_note>
This comes with the message above, and is not of the user.
{text}
</system_note>"""


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """All that a provider is told. `None` leaves a parameter to the provider's own default."""

    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    """What the model is told by us: facts, and what was wrong with its answer."""
    model: str = AUTOMATIC_MODEL
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[FunctionTool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning: ReasoningOptions | None = None
    prompt_cache_key: str | None = None
    conversation: str | None = None  # its id; no provider is told
    order: tuple[str, ...] = ()  # of the models that are asked; as the chain has them without
    can_wait: bool = False  # for a slower tier; one that has none is not told
    top_logprobs: int | None = None
    """How many likely tokens are wanted beside each that is written; None for no probabilities."""
    tenant: str = ""
    user: str = ""
    extra: Mapping[str, object] = {}
    """Passed through to the provider's request body as it is (`response_format`, `seed`, …)."""
    context: ContextReport | None = None
    """How it was shortened, where it was; no provider is told."""

    @property
    def told(self) -> tuple[Item, ...]:
        """The items, with the notes as the end of the user's newest message.

        What stands before them does so in the next turn too: a provider's cache of prompts has it.
        """
        if not self.notes:
            return self.items
        note = _NOTE.format(text=_BETWEEN.join(self.notes).replace("</system_note", "&lt;/"))
        for place in reversed(range(len(self.items))):
            item = self.items[place]
            if isinstance(item, MessageItem) and item.role is Role.USER:
                return (*self.items[:place], item.followed_by(note), *self.items[place + 1 :])
        return (*self.items, MessageItem(Role.SYSTEM, note))

    @property
    def last_user_message(self) -> str:
        """The text the answer is for; empty when nobody but the system spoke."""
        for item in reversed(self.items):
            if isinstance(item, MessageItem) and item.role is Role.USER:
                return item.text()
        return ""

    @property
    def is_text(self) -> bool:
        """Whether text is all that is said, and all that is asked for."""
        return not self.tools and are_only_text(self.items)

    @property
    def is_plain(self) -> bool:
        """Whether only texts are said, each one piece with no name beside it: mostly it is so."""
        return all(
            isinstance(one, MessageItem) and isinstance(one.content, str) and one.name is None
            for one in self.items
        )

    @property
    def has_breakpoints(self) -> bool:
        """Whether the caller says up to where a provider may keep what it has read."""
        of_tools = any(tool.cache_control for tool in self.tools)
        return of_tools or (not self.is_plain and any(map(breakpoints_of, self.items)))

    def tokens(self) -> int:
        """What a model has to read, estimated."""
        return sum([item.tokens() for item in self.told]) + tokens_of_size(self._size_of_tools)

    def size_bytes(self) -> int:
        """The same in bytes, what is passed through not counted."""
        return sum([item.size() for item in self.told]) + self._size_of_tools

    @property
    def _size_of_tools(self) -> int:
        return len(msgspec.json.encode(self.tools)) if self.tools else 0


_OPENING: Final = MessageItem(Role.USER, "…")
"""Stands for what the user said before an answer that a conversation begins with."""


class Saying(msgspec.Struct, frozen=True):
    """What one side said without a break: the user, whose tools speak too, or the assistant."""

    role: Role
    items: tuple[Item, ...]

    @classmethod
    def each_of(cls, items: Iterable[Item]) -> tuple[Saying, ...]:
        """What stands side by side and is of one role, as one."""
        said = groupby(items, key=attrgetter("role"))
        return tuple([cls(role, tuple(neighbours)) for role, neighbours in said])

    @property
    def text(self) -> str:
        """Its texts: each item is a paragraph."""
        messages = [item for item in self.items if isinstance(item, MessageItem)]
        return _BETWEEN.join([text for item in messages if (text := item.text())])


class Conversation(msgspec.Struct, frozen=True):
    """Instructions, then user and assistant in turn; the user first, and nothing blank.

    What was said is kept whole and in order: neighbours of one role become one saying, and all
    instructions stand first. Of instructions alone the user is made the speaker. The last word of
    an assistant, which it goes on from, loses its trailing white space.
    """

    instructions: str
    spoken: tuple[Saying, ...]

    @classmethod
    def of(cls, items: Sequence[Item]) -> Conversation:
        said = [item for item in items if not _is_blank(item)]
        if len(said) == 1 and said[0].role is Role.USER:
            return cls("", (Saying(Role.USER, (said[0],)),))
        instructions = _BETWEEN.join([item.text() for item in said if item.role.instructs])
        spoken = [item for item in said if not item.role.instructs]
        if spoken and spoken[0].role is not Role.USER:
            spoken.insert(0, _OPENING)
        if not spoken and instructions:
            spoken, instructions = [MessageItem(Role.USER, instructions)], ""
        elif spoken and spoken[-1].role is Role.ASSISTANT:
            spoken[-1] = _without_trailing_space(spoken[-1])
        return cls(instructions, Saying.each_of(spoken))


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
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: Sink | None = None
    ) -> Outcome:
        """Answer within the time left, or raise a `ProviderError`.

        With `on_delta` the text is also handed over while it is written; what was handed over,
        joined, is the text of the answer. What was thought is handed over whole, before the text;
        calls of tools are not: they are in the answer. An error raised by `on_delta` itself passes
        unchanged. One call is one attempt: a provider never retries on its own.
        """

    async def close(self) -> None:
        """Release what the provider itself opened; a shared HTTP session is left open."""


def _is_blank(item: Item) -> bool:
    """Whether it is a message that says nothing."""
    is_text = isinstance(item, MessageItem) and item.only_text
    return is_text and (not (text := item.text()) or text.isspace())


def _without_trailing_space(item: Item) -> Item:
    if not isinstance(item, MessageItem) or not item.only_text:
        return item
    return msgspec.structs.replace(item, content=item.text().rstrip())

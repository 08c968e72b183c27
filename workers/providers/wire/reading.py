"""What an API says: one event of a stream or one whole body, and the figures that it reports."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from shared.costs.price import ServedTier
from shared.messages.output import TokenLogprob
from shared.storable_text import text_size
from shared.token_count import estimated_tokens, tokens_of_size
from workers.providers.failures import UnknownFieldError
from workers.providers.outcome import Declined, Usage
from workers.providers.provider import Prompt
from workers.providers.wire.loose_json import mapping, number_in

_UNSEEN_INPUT_TOKENS: Final = 20_000
"""What a provider may put before a prompt: its template, instructions of its own, what it read."""
_UNSEEN_OUTPUT_TOKENS: Final = 262_144
"""What a model may think unseen where nobody limited it."""
_TIERS: Final = {tier.value: tier for tier in ServedTier}
_DEAREST_TOKEN: Final = Decimal("0.002")
_DEAREST_CALL: Final = Decimal(1)
"""Dollars, beyond what anybody asks today for a token, and for a call besides its tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was reported; None for what was not."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    cost: Decimal | None = None
    """Dollars, where the provider names them."""
    tier: str = ""
    """The service tier that it names, in its own word."""
    counts_cache_apart: bool = False
    """Whether `input` lacks what was read from and written to the provider's cache."""

    def updated_by(self, later: Figures) -> Figures:
        """A stream reports in parts: the latest figure counts, and a zero replaces nothing."""
        return Figures(
            input=later.input or self.input,
            output=later.output or self.output,
            cached=later.cached or self.cached,
            cache_write=later.cache_write or self.cache_write,
            reasoning=later.reasoning or self.reasoning,
            cost=later.cost or self.cost,
            tier=later.tier or self.tier,
            counts_cache_apart=later.counts_cache_apart or self.counts_cache_apart,
        )

    def usage(self, prompt: Prompt, *, text: str, thought_size: int) -> Usage:
        """The usage of the call; a figure that is missing or cannot be is estimated.

        `text` is what the model wrote, its calls of tools too, `thought_size` the bytes of what it
        thought aloud.
        """
        size_out = text_size(text) + thought_size
        size_in = prompt.size_bytes()
        most_out = prompt.max_output_tokens or _UNSEEN_OUTPUT_TOKENS
        believed_input = _between(1, self._whole_input, size_in + _UNSEEN_INPUT_TOKENS)
        believed_output = _between(min(1, size_out), self.output, size_out + most_out)
        tokens_in, tokens_out = believed_input, believed_output
        if tokens_in is None:
            tokens_in = prompt.tokens()
        if tokens_out is None:
            tokens_out = estimated_tokens(text) + tokens_of_size(thought_size)
        return Usage(
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cached_tokens=min(self.cached or 0, tokens_in) if believed_input is not None else 0,
            cache_write_tokens=self._written(tokens_in) if believed_input is not None else 0,
            reasoning_tokens=min(self.reasoning or 0, tokens_out),
            cost=self._believed_cost(tokens_in + tokens_out),
            reported=believed_input is not None and believed_output is not None,
            tier=_TIERS.get(self.tier, ServedTier.STANDARD),
        )

    @property
    def is_reported(self) -> bool:
        return self.input is not None or self.output is not None

    @property
    def _whole_input(self) -> int | None:
        if not self.counts_cache_apart:
            return self.input
        parts = [part for part in (self.input, self.cached, self.cache_write) if part is not None]
        return sum(parts) if parts else None

    def _written(self, tokens_in: int) -> int:
        return min(self.cache_write or 0, tokens_in - min(self.cached or 0, tokens_in))

    def _believed_cost(self, tokens: int) -> Decimal | None:
        """A zero is not believed: it may be what a gateway asks for a call billed elsewhere."""
        cost = self.cost
        return cost if cost and cost <= tokens * _DEAREST_TOKEN + _DEAREST_CALL else None


NOT_REPORTED: Final = Figures()


class CallPiece(msgspec.Struct, frozen=True, gc=False):
    """A piece of a call: its id and name come once, its arguments, which are JSON, in pieces.

    `place` tells the calls of one answer apart.
    """

    place: int
    call_id: str = ""
    name: str = ""
    arguments: str = ""


class ThoughtPiece(msgspec.Struct, frozen=True, gc=False):
    """A piece of a block of thought: `fields` as its maker wants them back, `text` to be read.

    `place` tells the blocks of one answer apart.
    """

    place: int
    fields: Mapping[str, object]
    text: str = ""


class EventReading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is not said is at its default."""

    text: str = ""
    thought_size: int = 0
    """Bytes of what the model thinks aloud: progress, and no part of the answer."""
    model: str = ""
    finish: str = ""
    """Why it stopped writing, in the provider's word."""
    figures: Figures = NOT_REPORTED
    ends: bool = False
    """Whether nothing comes after this."""
    calls: tuple[CallPiece, ...] = ()
    """Pieces of what is asked of tools."""
    thoughts: tuple[ThoughtPiece, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    """How likely the tokens of `text` were."""
    is_odd: bool = False
    """Whether a field had a shape that it should not have; what it held is left out."""

    @property
    def is_progress(self) -> bool:
        """Whether the model is at work: it writes, or it thinks aloud."""
        return bool(self.text or self.thought_size or self.calls)


NOTHING: Final = EventReading()
END: Final = EventReading(ends=True)


class WireFormat(ABC):
    """What one API is asked and how it answers: three functions are all that a new one needs."""

    @abstractmethod
    def request_body(self, prompt: Prompt, model: str) -> dict[str, object] | Declined:
        """What is posted, as JSON that asks for a stream; or why the prompt must go elsewhere."""

    @abstractmethod
    def read_event(self, event: Mapping[str, object]) -> EventReading | None:
        """One event of a stream; None when it holds nothing that we know."""

    @abstractmethod
    def read_whole(self, body: Mapping[str, object]) -> EventReading | None:
        """One whole answer; None when it is none."""

    @abstractmethod
    def maker(self, model: str) -> str:
        """By whom a thought of this model is known: who has another name is not given it."""

    def read_usual(self, data: str) -> EventReading | None:  # noqa: ARG002
        """What `read_event` reads, from the JSON of an event of the usual shape; None for others.

        The quick way, for an answer comes in hundreds of events; an API may do without.
        """
        return None

    def dropped(self, prompt: Prompt, model: str) -> tuple[str, ...]:  # noqa: ARG002
        """The advice of the caller that is not followed, by the names of its fields."""
        return ()

    def leave_out(
        self,
        refusal: UnknownFieldError,  # noqa: ARG002
        model: str,  # noqa: ARG002
        *,
        sent: Mapping[str, object],  # noqa: ARG002
    ) -> bool:
        """Do without what the model's server refused; False where it was nothing of ours.

        `sent` is the request: the next one must differ from it, or it is refused for ever.
        """
        return False


def cost_in(value: object) -> Decimal | None:
    """Dollars of `usage.cost`: a number, or an object with a total."""
    if isinstance(value, dict):
        value = value.get("total_cost")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        dollars = Decimal(str(value)[:40])
    except InvalidOperation:
        return None
    return dollars if dollars.is_finite() and dollars >= 0 else None


def first_number(fields_of: Mapping[str, object], *names: str) -> int | None:
    """The first of these figures that is there; a dot leads into an inner object."""
    for name in names:
        outer, _, inner = name.partition(".")
        value = mapping(fields_of.get(outer)).get(inner) if inner else fields_of.get(outer)
        number = number_in(value)
        if number is not None:
            return number
    return None


def _between(lowest: int, figure: int | None, highest: int) -> int | None:
    return figure if figure is not None and lowest <= figure <= highest else None

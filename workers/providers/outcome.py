"""How an attempt can end without an error."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from string import Template
from typing import Final

import msgspec

from shared.costs.price import ServedTier, TokenCount
from shared.messages.item import FunctionCall
from shared.messages.output import AnswerItem
from shared.token_count import estimated_tokens

NO_LOGPROBS: Final = "it does not tell how likely tokens are, as 'logprobs' asks"
"""Why one is passed over that has none."""


class Oddity(StrEnum):
    """What was odd about an answer that could be read all the same: counted, and nobody's fault."""

    UNREADABLE_CHUNK = "unreadable_chunk"
    """A piece of the stream was skipped: it could not be read, or held nothing that we know."""
    NO_REASON = "no_reason"
    """It ended without saying why the model had stopped."""
    ODD_FIELD = "odd_field"
    """A field that we read had a shape that it should not have."""
    NO_STREAM = "no_stream"
    """A stream was asked for, and the answer came whole."""
    ODD_FIGURES = "odd_figures"
    """Figures of tokens that the text and the limits of the call rule out."""


class FinishReason(StrEnum):
    """Why the provider stopped writing. All but `stop` leave the answer incomplete."""

    STOP = "stop"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one attempt. `cached_tokens` are a part of `input_tokens`, billed cheaper."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    """A part of `input_tokens` too, billed at a price of its own."""
    reasoning_tokens: int = 0
    """A part of `output_tokens`, where the provider tells it."""
    cost: Decimal | None = None
    """Dollars, where the provider names what it asks for the call."""
    reported: bool = True
    """False when the provider named no figures and these are estimated from the text."""
    tier: ServedTier = ServedTier.STANDARD
    """At which of its prices the provider says that it served the call."""

    @property
    def tokens(self) -> TokenCount:
        """What is paid for."""
        return TokenCount(
            self.input_tokens,
            self.output_tokens,
            self.cached_tokens,
            self.cache_write_tokens,
            self.cost,
            self.reasoning_tokens,
            self.tier,
        )

    @classmethod
    def estimated(cls, *, read: int, written: str) -> Usage:
        """Stand-in for figures a provider did not report, so that they never count as zero.

        `read` is the tokens of the prompt, estimated.
        """
        return cls(
            input_tokens=read,
            output_tokens=estimated_tokens(written),
            reported=False,
        )


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider answered: text, calls of tools, or both."""

    text: str
    model: str
    """The model that answered, as the provider names it: for the caller to read, nothing else."""
    finish: FinishReason
    usage: Usage
    is_certain: bool = True
    """False where the provider never said why it stopped, or a part could not be read: it may be
    half an answer, so nobody else is given it."""
    oddities: frozenset[Oddity] = frozenset()
    items: tuple[AnswerItem, ...] = ()
    """What it has beside its text."""
    dropped: tuple[str, ...] = ()
    """What was asked for and is not in it, by the names of the fields that asked."""
    waited: str = ""
    """For which of our own limits the call had to wait, where that took a while."""

    @property
    def calls(self) -> tuple[FunctionCall, ...]:
        """What it asks of tools."""
        return tuple([item for item in self.items if isinstance(item, FunctionCall)])

    @property
    def is_whole(self) -> bool:
        """Whether the model stopped where it wanted to."""
        return self.finish is FinishReason.STOP


class HandedOff(msgspec.Struct, frozen=True, kw_only=True):
    """A human has the message now; the apology may go out at once where a caller waits."""

    reason: str
    apology_text: str
    """May hold `$handoff`, the place of the handoff's id."""

    def apology_for(self, handoff_id: str) -> str:
        """The apology with the id in its place."""
        return Template(self.apology_text).safe_substitute(handoff=handoff_id)


class Declined(msgspec.Struct, frozen=True, kw_only=True):
    """The provider has nothing to say to this prompt; the chain goes on to the next."""

    reason: str


Outcome = Answer | HandedOff | Declined

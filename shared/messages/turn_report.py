"""How an answer came about: which model, how much of the conversation, whose words."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Tier(StrEnum):
    """How strong a model a message is given."""

    SMALL = "small"
    LARGE = "large"


class CacheKind(StrEnum):
    """Where an answer came from that no provider was called for."""

    EXACT = "exact"
    SEMANTIC = "semantic"
    SINGLE_FLIGHT = "single_flight"


class RoutingReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """The tier that `auto` chose, its score in 0..1, and why in a few words."""

    tier: Tier
    reason: str
    score: float | None = None


class ContextReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of the conversation the model was not given whole, in items."""

    kept: int
    summarised: int = 0
    dropped: int = 0
    tokens: int = 0
    token_budget: int = 0


class CacheReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """The stored answer that was given; `entry` can be deleted or reported as wrong.

    `saved` is what the answer had cost in US dollars when a provider gave it, and `response_id`
    the message it was first the answer to.
    """

    kind: CacheKind
    entry: str
    age_seconds: float = 0.0
    similarity: float | None = None
    response_id: str | None = None
    saved: str | None = None


class TurnReport(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Each part is there when it has something to tell."""

    routing: RoutingReport | None = None
    context: ContextReport | None = None
    cache: CacheReport | None = None
    dropped: tuple[str, ...] = ()
    """What was asked for that the provider who answered does without, by the field's name."""
    caught: tuple[str, ...] = ()
    """The validators of the guardrail that caught something in an answer, mended or asked anew."""
    variant: str | None = None
    """The variant of the settings under which it was answered."""


_decoder = msgspec.json.Decoder(TurnReport)


def encode_report(report: TurnReport) -> str:
    """The report as the ledger keeps it."""
    return msgspec.json.encode(report).decode()


def decode_report(stored: str | None) -> TurnReport | None:
    """The report from the ledger's column; None also where another version wrote it."""
    try:
        return None if stored is None else _decoder.decode(stored)
    except msgspec.DecodeError:
        return None

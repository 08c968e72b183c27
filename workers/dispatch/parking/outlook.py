"""Whether a model answers what is asked for by a name."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple, Protocol


class ModelState(IntEnum):
    """The lower, the better: of several providers the best one counts."""

    ANSWERS = 0
    PROBED = 1
    """A few calls at a time find out whether it is back."""
    AWAY = 2
    """Nobody calls it."""


class Outlook(NamedTuple):
    """What a message that asks for a model can hope for now, and `why` in half a sentence.

    `seconds` is until somebody may call again, where it is away.
    """

    state: ModelState = ModelState.ANSWERS
    seconds: float = 0.0
    why: str = ""


class ModelWatch(Protocol):
    """Knows the models of the chain, and what stands in front of them."""

    async def look(self) -> None:
        """See how they stand now, as far as can be known."""

    @property
    def outlooks(self) -> Mapping[str, Outlook]:
        """Of each model that may be named, as it stood at the last look; never empty."""

    def named(self, asked: str | None) -> str:
        """Under which of these a message belongs that asks for this model."""

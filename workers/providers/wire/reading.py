"""What one event of a stream, or one whole body, says, whichever wire format it came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from workers.providers.wire.figures import NOT_REPORTED, Figures


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
    calls_tool: bool = False
    is_odd: bool = False
    """Whether a field had a shape that it should not have; what it held is left out."""

    @property
    def is_progress(self) -> bool:
        """Whether the model is at work: it writes, or it thinks aloud."""
        return bool(self.text or self.thought_size)


NOTHING: Final = EventReading()
END: Final = EventReading(ends=True)


class WireFormat(Protocol):
    """How the answers of one API are read, whatever came."""

    def read_usual(self, data: str) -> EventReading | None:
        """What `read_event` reads, from the JSON of an event of the usual shape; None for others.

        The quick way, for an answer comes in hundreds of events.
        """

    def read_event(self, event: Mapping[str, object]) -> EventReading | None:
        """One event of a stream; None when it holds nothing that we know."""

    def read_whole(self, body: Mapping[str, object]) -> EventReading | None:
        """One whole answer; None when it is none."""

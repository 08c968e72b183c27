"""Events as lines: server-sent events, as OpenAI sends them, with an id to resume from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ingress.events import NumberedEvent

KEEP_ALIVE: Final = b": still here\n\n"


async def event_lines(events: AsyncIterator[NumberedEvent | None]) -> AsyncIterator[bytes]:
    """Each event as its lines; a comment where nothing happened for a while."""
    async for event in events:
        if event is None:
            yield KEEP_ALIVE
        else:
            yield b"event: %b\nid: %d\ndata: %b\n\n" % (
                event.type.encode(),
                event.sequence,
                event.body,
            )

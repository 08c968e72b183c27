"""Events as lines: server-sent events, as OpenAI sends them, with an id to resume from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Literal

from ingress.api.http.errors import HttpRefusal
from ingress.events import FollowedEvents

KEEP_ALIVE: Final = b": still here\n\n"
Unfinished = Literal["response_restarted", "stream_cut"]
_BAD_GATEWAY: Final = 502
_UNFINISHED: Final[dict[Unfinished, str]] = {
    "response_restarted": "The answer began again after this much of it was sent.",
    "stream_cut": "The stream ends here, and the answer goes on.",
}


async def event_lines(events: FollowedEvents) -> AsyncIterator[bytes]:
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


def unfinished(message_id: str, code: Unfinished) -> HttpRefusal:
    """What ends a stream that cannot tell the rest of the answer."""
    rest = f"Read all of it with GET /v1/responses/{message_id}."
    return HttpRefusal(_BAD_GATEWAY, f"{_UNFINISHED[code]} {rest}", code=code)

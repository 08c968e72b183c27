"""Reply with a span for what ends outside of any turn: its trace would not tell how it ended."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from shared.messages.body import Body
from shared.messages.record import MessageRecord
from shared.telemetry.message_spans.ending import ending
from shared.telemetry.tracing import Tracing
from workers.steps.reply import Reply


class TracedReply(Reply):
    """A message that died in the queue, or whose workers did, has a span `end` beside its turns."""

    def __init__(self, *parts: Any, tracing: Tracing, **settings: Any) -> None:
        """The parts and settings of a Reply."""
        super().__init__(*parts, **settings)
        self._tracing = tracing

    async def tell(self, record: MessageRecord, body: Body | None = None) -> None:
        with ending(self._tracing, record):
            await super().tell(record, body)


def open_reply(stack: AsyncExitStack, tracing: Tracing, *parts: Any, **settings: Any) -> Reply:
    """A Reply of these parts and settings, closed with the stack; with spans, where these are
    recorded."""
    if tracing.recording:
        reply: Reply = TracedReply(*parts, tracing=tracing, **settings)
    else:
        reply = Reply(*parts, **settings)
    stack.push_async_callback(reply.close)
    return reply

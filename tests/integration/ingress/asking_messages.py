"""What Anthropic's client asks in these tests, and what comes of it."""

from __future__ import annotations

from typing import Any

from shared.messages.item import FunctionCall, ReasoningItem
from shared.messages.record import MessageRecord
from tests.integration.ingress.stand_in_worker import StandInWorker

ASKED: dict[str, Any] = {
    "model": "auto",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello"}],
}
TOOLS: list[Any] = [
    {
        "name": "weather",
        "description": "The weather of a city.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
]
THINKING: Any = {"type": "enabled", "budget_tokens": 2048}
THOUGHT = ReasoningItem(
    summary=({"type": "summary_text", "text": "A city."},), encrypted_content="sealed"
)
CALLS = (
    FunctionCall("call_1", "weather", '{"city":"Oslo"}'),
    FunctionCall("call_2", "weather", '{"city": "Rome"}'),
)


async def next_record(worker: StandInWorker) -> MessageRecord:
    return await worker.claim(await worker.next_queued())

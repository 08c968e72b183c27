"""How many files one piece of work runs through: printed (`pytest -rP`), and held from above.

Whoever wants to understand it has to open them all. A bound is what was reached; it only falls.
Calls go over a connection that stands, as nearly all of them do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from shared.clock import SystemClock
from shared.messages.item import MessageItem, Role
from shared.settings.providers import ProviderKind, ProviderSettings
from tests.architecture.road import recorded
from workers.providers.building import build_chain, build_provider
from workers.providers.outcome import Answer
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections

PROMPT = Prompt(
    items=(
        MessageItem(Role.SYSTEM, "Be brief."),
        MessageItem(Role.USER, "How many roads?"),
    )
)
CHAT = (
    '{"choices":[{"delta":{"role":"assistant","content":""}}],"model":"m"}',
    '{"choices":[{"delta":{"content":"Many."}}],"model":"m"}',
    '{"choices":[{"delta":{},"finish_reason":"stop"}],"model":"m"}',
    '{"choices":[],"model":"m","usage":{"prompt_tokens":9,"completion_tokens":2}}',
    "[DONE]",
)
MESSAGES = (
    '{"type":"message_start","message":{"model":"m","usage":{"input_tokens":9,"output_tokens":1}}}',
    '{"type":"content_block_delta","delta":{"type":"text_delta","text":"Many."}}',
    '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}',
    '{"type":"message_stop"}',
)
WIRES = {ProviderKind.OPENAI_COMPATIBLE: CHAT, ProviderKind.ANTHROPIC: MESSAGES}


@pytest.fixture
async def connections() -> AsyncIterator[ProviderConnections]:
    async with ProviderConnections() as connections:
        yield connections


@pytest.fixture(params=WIRES)
async def settings(request: pytest.FixtureRequest) -> AsyncIterator[ProviderSettings]:
    """Of a provider whose server says the same to everybody."""
    events = "".join(f"data: {event}\n\n" for event in WIRES[request.param]).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while asked := await reader.read(65_536):
            if asked.endswith(b"}"):
                writer.write(head % len(events) + events)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield ProviderSettings(
            name="model", kind=request.param, base_url=f"http://127.0.0.1:{port}/v1", model="m"
        )


async def heard(piece: str) -> None:
    assert piece == "Many."


async def test_one_call_of_a_provider(
    settings: ProviderSettings, connections: ProviderConnections
) -> None:
    provider = build_provider(settings, connections)
    await provider.answer(PROMPT, time_left_seconds=5)
    with recorded() as road:
        answer = await provider.answer(PROMPT, time_left_seconds=5, on_delta=heard)

    assert isinstance(answer, Answer)
    assert answer.text == "Many."
    files = road.printed(f"one call of a provider of kind {settings.kind}")
    assert len(files) <= 12


async def test_one_message_along_a_chain(
    settings: ProviderSettings, connections: ProviderConnections
) -> None:
    clock = SystemClock()
    chain = build_chain([settings], connections, clock=clock)
    await chain.answer(PROMPT, deadline=clock.now() + timedelta(seconds=5))
    with recorded() as road:
        result = await chain.answer(
            PROMPT, deadline=clock.now() + timedelta(seconds=5), on_delta=heard
        )

    assert isinstance(result.outcome, Answer)
    files = road.printed(f"a message along a chain of one provider of kind {settings.kind}")
    assert len(files) <= 18

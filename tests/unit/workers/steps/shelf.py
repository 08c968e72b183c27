"""An index that has what a test wants, and turns that search it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis

from shared.clock import SystemClock
from shared.messages.body import encode_body
from shared.messages.file_search.found_text import FoundText
from shared.messages.requests.create_response import decode_create_response
from shared.replies.reply_stream import ReplyStream
from shared.settings.turn.context import ContextSettings
from tests.queued_message import queued_message
from workers.providers.outcome import Answer, FinishReason, Usage
from workers.steps.searching.retrieve import Retrieve
from workers.steps.searching.retriever import WantedPassages
from workers.steps.searching.survey import Survey
from workers.turn import Turn, begin_turn

CLOCK = SystemClock()
ROADS = FoundText("file-1", "roads.md", 0.9, "There are 47 roads.")
DAMS = FoundText("file-2", "dams.md", 0.5, "There are 12 dams.")
TOOL = {"type": "file_search", "vector_store_ids": ["vs_2", "vs_1"], "max_num_results": 3}


class Shelf:
    """An index of two collections that gives what it has, or does not answer."""

    def __init__(self, *found: FoundText, away: Exception | None = None) -> None:
        self.found = found
        self.away = away
        self.wanted: list[WantedPassages] = []

    async def editions(self, tenant_id: str, ids: Sequence[str]) -> tuple[tuple[str, int], ...]:
        assert tenant_id == "ten_1"
        if self.away is not None:
            raise self.away
        return tuple((each, 7) for each in ids)

    async def find(self, wanted: WantedPassages) -> tuple[FoundText, ...]:
        self.wanted.append(wanted)
        if self.away is not None:
            raise self.away
        return self.found


class Stalled(Shelf):
    """One that never comes back."""

    async def find(self, wanted: WantedPassages) -> tuple[FoundText, ...]:
        await asyncio.Event().wait()
        return ()


def turn_of(said: Any = "How many roads?", **fields: Any) -> Turn:
    asked = {"input": said, "tools": [TOOL], **fields}
    body = decode_create_response(json.dumps(asked).encode())
    until = CLOCK.now() + timedelta(seconds=60)
    turn = begin_turn(queued_message(body=encode_body(body).decode(), deadline=until))
    turn.items = list(body.input)
    return turn


async def searched(turn: Turn, shelf: Shelf, settings: ContextSettings | None = None) -> Turn:
    settings = settings or ContextSettings()
    await Survey(shelf, seconds=settings.search_seconds, clock=CLOCK)(turn)
    if turn.settlement is None:
        # Nothing is told of what is not streamed: nobody connects.
        await Retrieve(shelf, ReplyStream(Redis(), ttl_seconds=60), settings, CLOCK)(turn)
    return turn


def answer(text: str) -> Answer:
    usage = Usage(input_tokens=1, output_tokens=1)
    return Answer(text=text, model="m", finish=FinishReason.STOP, usage=usage)

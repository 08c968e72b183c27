"""Which messages of a time are asked again, and what is known of how they went."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from deploy.cli.replay.live.recorded import RecordedTraffic, is_drawn
from shared.clock import ManualClock
from shared.identifiers import EVALUATION_MESSAGE, new_id
from shared.messages.body import Body, encode_body
from shared.messages.file_search.search_tool import FileSearchTool
from shared.messages.item import MessageItem, Role
from shared.messages.state import ResponseState
from shared.messages.turn_report import CacheKind, CacheReport, TurnReport, encode_report
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import message
from tests.integration.evaluation.conftest import TENANT, Say
from workers.judging.kept_message import NotCut

STORED = encode_report(TurnReport(cache=CacheReport(kind=CacheKind.EXACT, entry="e")))


def asking(**fields: Any) -> str:
    return encode_body(Body(input=[MessageItem(Role.USER, "Where?")], **fields)).decode()


@pytest.fixture
def traffic(database: Database, clock: ManualClock) -> RecordedTraffic:
    start = clock.now()
    until = start + timedelta(seconds=10)
    return RecordedTraffic(database, tenant_id=TENANT, since=start, until=until)


async def test_those_of_the_time_are_drawn_the_oldest_first_and_always_the_same(
    traffic: RecordedTraffic, say: Say, clock: ManualClock
) -> None:
    sent = [(await say(f"Question {number}.")).id for number in range(9)]
    clock.advance(5)
    await say("Too late.")
    assert await traffic.drawn(1.0) == sent
    some = await traffic.drawn(0.5)
    assert some == await traffic.drawn(0.5) == [each for each in sent if is_drawn(each, 0.5)]


async def test_it_is_asked_as_it_was_and_not_stored(traffic: RecordedTraffic, say: Say) -> None:
    fields = {"model": "m", "temperature": 0.5, "user": "ada", "store": True}
    written = asking(file_search=FileSearchTool(["vs_1"]), **fields)
    sent = await say("Where?", written=written, conversation_id="conv_1")
    recorded = await traffic.read(sent.id)
    assert recorded.conversation == "conv_1"
    assert recorded.body["store"] is False
    assert (recorded.body["model"], recorded.body["temperature"]) == ("m", 0.5)
    assert recorded.body["tools"][0]["vector_store_ids"] == ["vs_1"]
    assert "ada" not in json.dumps(recorded.body)
    assert recorded.answered.text == "You said: Where?"


@pytest.mark.parametrize(
    ("body", "changed", "why"),
    [
        ({}, {"store": False}, "were not to be stored"),
        ({}, {"state": ResponseState.CANCELLED}, "were cancelled"),
        ({}, {"state": ResponseState.IN_PROGRESS, "finished_at": None}, "have not ended"),
        ({}, {"report": STORED}, "were given a stored answer"),
        ({}, {"idempotency_key": new_id(EVALUATION_MESSAGE)}, "were asked by an evaluation"),
        ({"file_search": FileSearchTool(["a", "b"])}, {}, "search several collections"),
        ({"file_search": FileSearchTool(["a"], principals=())}, {}, "search as somebody"),
    ],
)
async def test_what_may_not_be_asked_again_is_not(
    traffic: RecordedTraffic,
    say: Say,
    database: Database,
    body: dict[str, Any],
    changed: dict[str, Any],
    why: str,
) -> None:
    sent = await say("Hello.", written=asking(**body))
    async with transaction(database.durable) as connection:
        if changed:
            await connection.execute(update(message).where(message.c.id == sent.id), changed)
    with pytest.raises(NotCut, match=why):
        await traffic.read(sent.id)

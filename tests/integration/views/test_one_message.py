"""One message is shown with all that the ledger knows of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.clock import SystemClock
from shared.dispatch.flows import Flow, FlowBoard, FlowFigures
from shared.errors import NotFound
from shared.messages.dead_letter import DeadReason
from shared.messages.file_search.found_text import FoundText
from shared.messages.item import SearchCall
from shared.messages.lane import Lane
from shared.messages.output import encode_items
from shared.messages.state import ResponseState
from shared.messages.turn_report import ContextReport, TurnReport, encode_report
from shared.persistence.tables import attempt, message
from shared.redis.client import open_redis
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import run_scripts
from shared.views.one_message import MessageViews
from tests.integration.patience import patient_settings

from .shelf import ViewedLedger


@pytest.fixture
async def guarded(redis_url: str) -> AsyncIterator[GuardedRedis]:
    client = open_redis(patient_settings(redis_url))
    opened = GuardedRedis(client, SystemClock(), timeout_seconds=30)
    yield opened
    await opened.close()
    await client.aclose()


def a_call(viewed: ViewedLedger, ordinal: int, **fields: Any) -> dict[str, Any]:
    return {
        "message_id": viewed.id_of(0),
        "claim": 1,
        "ordinal": ordinal,
        "provider": "primary",
        "model": "m",
        "error_class": None,
        "detail": None,
        "started_at": viewed.at(ordinal),
        "latency_seconds": Decimal("0.5"),
        "cost": Decimal("0.25"),
    } | fields


async def test_a_message_that_has_ended_tells_how_it_came_about(
    viewed: ViewedLedger, guarded: GuardedRedis
) -> None:
    found = SearchCall(queries=("forebay",), results=(FoundText("file_1", "a.md", 0.9, "Water."),))
    report = encode_report(TurnReport(context=ContextReport(kept=3, dropped=2)))
    row = viewed.message(
        0,
        state=ResponseState.FAILED,
        attempt=1,
        claimed_at=viewed.at(1),
        finished_at=viewed.at(5),
        output_text="A basin.",
        output_items=encode_items([found]),
        report=report,
        error_code="chain_exhausted",
        traceparent=f"00-{'a' * 32}-{'b' * 16}-01",
    )
    await viewed.put(message, row)
    rejected = a_call(viewed, 1, error_class="rejected", detail="It says 48 USD.")
    await viewed.put(attempt, rejected, a_call(viewed, 2))
    for nth in (2, 1):
        letter = {"message_id": row["id"], "reason": DeadReason.CHAIN_EXHAUSTED}
        await viewed.letters(1, first=nth, **letter)
    told = await MessageViews(viewed.database, FlowBoard(guarded)).show(row["id"])
    assert told.message is not None
    assert told.message.state is ResponseState.FAILED
    assert [(each.error_class, each.cost) for each in told.attempts] == [
        ("rejected", Decimal("0.25")),
        (None, Decimal("0.25")),
    ]
    assert told.report == {"context": {"kept": 3, "dropped": 2}}
    assert [each.text for each in told.passages] == ["Water."]
    assert next(item.text() for item in told.said) == "What is a forebay?"
    assert [each.id for each in told.letters] == ["dead_0001", "dead_0002"]
    assert len(told.stretches) == 6
    assert told.waits_because is None
    assert msgspec.json.encode(told)


async def test_a_message_that_is_held_says_why(viewed: ViewedLedger, guarded: GuardedRedis) -> None:
    await viewed.messages(1, held_at=viewed.at(0))
    board = FlowBoard(guarded)
    views = MessageViews(viewed.database, board)
    assert (await views.show(viewed.id_of(0))).waits_because is None
    figures = FlowFigures(backlog=1, parked=1, reason="The breaker of model m is open.")
    written = board.writing({Flow(Lane.STANDARD, "ten_1"): figures}, leader="w1", lease_seconds=60)
    async with guarded.asking() as asked:
        await run_scripts(asked, written)
    told = await views.show(viewed.id_of(0).replace("resp_", "chatcmpl-"))
    assert told.waits_because == "The breaker of model m is open."


async def test_a_message_that_never_was_is_not_found(
    viewed: ViewedLedger, guarded: GuardedRedis
) -> None:
    with pytest.raises(NotFound, match="no message 'resp_9'"):
        await MessageViews(viewed.database, FlowBoard(guarded)).show("resp_9")

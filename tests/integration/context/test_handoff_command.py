"""`forebay handoff` shows a person all that a model would have been given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.cli.__main__ import run
from shared.clock import SystemClock
from shared.identifiers import new_response_id
from shared.messages.body import Body, encode_body
from shared.messages.item import FunctionCall, FunctionCallOutput, Item, MessageItem, Role
from shared.messages.output import encode_items
from shared.messages.part import ImagePart, InputTextPart
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import open_database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Settlement
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.queued_message import queued_message

CALL = FunctionCall("call_1", "balance", '{"of":"Ann"}')
PICTURE = ImagePart("https://a.example/receipt.png")


class Ledger:
    """Accepts messages and settles them, as the door and a worker do."""

    def __init__(self, url: str) -> None:
        self._database = open_database(LedgerSettings(url=ServerUrl(url)))
        self._clock = SystemClock()
        self._ledger = MessageLedger(self._database, LedgerSettings(), self._clock, Metrics())
        self._claims = ClaimGroup(self._database, self._clock, worker="w", lease_seconds=15)

    async def settled(
        self, items: Sequence[Item], *, previous: str | None = None, **end: object
    ) -> MessageRecord:
        now = self._clock.now()
        record = queued_message(
            id=new_response_id(),
            body=encode_body(Body(input=list(items))).decode(),
            previous_id=previous,
            accepted_at=now,
            deadline=now + timedelta(minutes=10),
        )
        await self._ledger.accept(record)
        await self._claims.flush([record.id])
        settlement = {"message_id": record.id, "tenant_id": "ten_1", "attempt": 1, **end}
        await self._ledger.settle(Settlement(finished_at=now, **settlement))  # type: ignore[arg-type]
        return record

    async def close(self) -> None:
        await self._ledger.close()
        await self._database.close()


async def test_a_person_is_shown_the_whole_conversation_with_its_tools(
    migrated_ledger_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_ledger_url)
    ledger = Ledger(migrated_ledger_url)
    first = await ledger.settled(
        [MessageItem(Role.USER, [InputTextPart("What does Ann own?"), PICTURE])],
        state=ResponseState.COMPLETED,
        output_text="Let me look.",
        output_items=encode_items([CALL]),
    )
    last = await ledger.settled(
        [FunctionCallOutput("call_1", "47.15 USD")],
        previous=first.id,
        state=ResponseState.REQUIRES_ACTION,
        handoff_reason="no provider before this one answered",
    )
    await ledger.close()

    assert await asyncio.to_thread(run, ["handoff", "list", "--json"]) == 0
    (waiting,) = json.loads(capsys.readouterr().out)
    assert waiting["message_id"] == last.id
    assert await asyncio.to_thread(run, ["handoff", "show", waiting["id"]]) == 0
    shown = capsys.readouterr().out
    conversation = shown[shown.index("user:") : shown.index("\nWhat became of it")]
    assert conversation.split("\n\n") == [
        "user:\nWhat does Ann own?\n(with an image or a file)",
        "assistant:\nLet me look.",
        'assistant, to a tool:\nbalance({"of":"Ann"})',
        "tool:\n47.15 USD\n",
    ]
    assert await asyncio.to_thread(run, ["handoff", "show", waiting["id"], "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["conversation"]
    assert [item["type"] for item in told] == [
        "message",
        "message",
        "function_call",
        "function_call_output",
    ]

"""One line of a batch is cancelled, by itself: the others are answered."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from shared.batches.batch import Batch, BatchCounts
from shared.batches.line_cancelling import LineCancelling
from shared.batches.state import BatchEndpoint, BatchState
from shared.errors import Conflict, NotFound
from shared.messages.state import ResponseState

from .bench import SIX, TENANT, Bench, chat, lines_of

TWINS = lines_of(chat(0), chat(1, "the same"), chat(2, "the same"))


async def take_out(bench: Bench, of: Batch, custom_id: str) -> str | None:
    """As the door does it; the message that was cancelled for it."""
    message_id = await LineCancelling(bench.database).take_out(of, custom_id)
    if message_id is not None:
        await bench.cancelled.cancel([message_id])
    return message_id


async def test_the_others_complete_and_the_line_says_why_it_did_not(bench: Bench) -> None:
    of = await bench.expanded(SIX)
    assert await take_out(bench, of, "c3")
    assert await bench.items.counts(of) == BatchCounts(total=6, cancelled=1)
    assert await take_out(bench, of, "c3"), "who asks again is told the same"
    await bench.answer()
    ended = await bench.collected(of)
    assert ended.state is BatchState.COMPLETED
    assert ended.counts == BatchCounts(total=6, completed=5, cancelled=1)
    assert len(await bench.read(ended.output_file_id)) == 5
    (told,) = await bench.read(ended.error_file_id)
    assert (told["custom_id"], told["response"]) == ("c3", None)
    assert told["error"]["code"] == "line_cancelled"
    assert "by itself" in told["error"]["message"]


async def test_an_equal_line_is_answered_all_the_same(bench: Bench) -> None:
    of = await bench.expanded(TWINS)
    assert await take_out(bench, of, "c1") is None
    assert await take_out(bench, of, "c1") is None
    assert {each.state for each in await bench.messages()} == {ResponseState.QUEUED}
    await bench.answer()
    ended = await bench.collected(of)
    assert ended.counts == BatchCounts(total=3, completed=2, cancelled=1)
    answered = await bench.read(ended.output_file_id)
    assert [each["custom_id"] for each in answered] == ["c0", "c2"]
    (told,) = await bench.read(ended.error_file_id)
    assert (told["custom_id"], told["error"]["code"]) == ("c1", "line_cancelled")


async def test_of_equal_lines_cancelled_side_by_side_the_last_one_ends_the_message(
    bench: Bench,
) -> None:
    of = await bench.expanded(TWINS)
    ended = await asyncio.gather(*(take_out(bench, of, name) for name in ("c1", "c2")))
    assert len([message_id for message_id in ended if message_id is not None]) == 1
    assert await bench.items.counts(of) == BatchCounts(total=3, cancelled=2)


async def test_a_line_that_was_answered_keeps_its_answer(bench: Bench) -> None:
    of = await bench.answered()
    message_id = await LineCancelling(bench.database).take_out(of, "c3")
    assert await bench.cancelled.cancel([str(message_id)]) == 0
    ended = await bench.collected(of)
    assert ended.counts == BatchCounts(total=6, completed=6)
    with pytest.raises(Conflict, match="completed already"):
        await take_out(bench, ended, "c3")


async def test_what_cannot_be_cancelled_is_said(bench: Bench) -> None:
    asked = await bench.ask(SIX)
    with pytest.raises(Conflict, match="still read"):
        await take_out(bench, asked, "c3")
    await bench.expander()
    for unknown in ("c9", "", "\0", "c3 "):
        with pytest.raises(NotFound) as told:
            await take_out(bench, asked, unknown)
        assert told.value.param == "custom_id"
    refused = await bench.expanded(lines_of(chat(0), chat(1, messages=7)))
    with pytest.raises(Conflict, match="was refused"):
        await take_out(bench, refused, "c1")
    road = {"custom_id": "c0", "method": "POST", "url": BatchEndpoint.EMBEDDINGS}
    line = msgspec.json.encode(road | {"body": {"model": "text", "input": "Hi"}})
    embedding = await bench.expanded(lines_of(line), endpoint=BatchEndpoint.EMBEDDINGS)
    with pytest.raises(Conflict, match="Cancel the batch"):
        await take_out(bench, embedding, "c0")
    await bench.catalogue.cancel(refused.id, tenant_id=TENANT)
    gone = await bench.collected(refused)
    await bench.catalogue.delete(gone.id, tenant_id=TENANT)
    with pytest.raises(NotFound, match="No batch"):
        await take_out(bench, gone, "c0")

"""Batches that end before their lines: what was answered by then is theirs."""

from __future__ import annotations

from itertools import count

import pytest
from msgspec.structs import replace

from shared.batches.batch import BatchCounts
from shared.batches.provider_batch import ProviderBatch
from shared.batches.provider_batches import ProviderBatchBook
from shared.batches.state import BatchEndpoint, BatchState, BatchSurface
from shared.batches.tables import IN_CANCELLING_BATCH
from shared.errors import Conflict
from shared.messages.state import ResponseState
from shared.persistence.ledger.held.held_messages import HeldMessages
from workers.batching import collector

from .bench import SIX, TENANT, Bench, lines_of
from .cutting import dying_at

PARTLY = BatchCounts(total=6, completed=2)


async def test_a_cancelled_batch_keeps_what_was_answered(bench: Bench) -> None:
    of = await bench.partly()
    running = (await bench.messages())[2].id
    await bench.set(running, state=ResponseState.IN_PROGRESS, claimed_by="worker-1")
    cancelling = await bench.catalogue.cancel(of.id, tenant_id=TENANT)
    assert cancelling.state is BatchState.CANCELLING
    ended = await bench.collected(of)
    assert ended.state is BatchState.CANCELLED
    assert ended.cancelled_at == bench.clock.now()
    assert ended.counts == replace(PARTLY, cancelled=4)
    assert len(bench.cancelled.told) == 4
    assert running in bench.cancelled.told
    assert len(await bench.read(ended.output_file_id)) == 2
    told = await bench.read(ended.error_file_id)
    assert {each["error"]["code"] for each in told} == {"batch_cancelled"}
    assert len(told) == 4


async def test_nothing_of_a_cancelling_batch_is_begun_any_more(bench: Bench) -> None:
    bench.sent.holds = True
    of = await bench.expanded(SIX)
    ids = [each.id for each in await bench.messages()]
    held = HeldMessages(
        bench.database, bench.clock, wake_after_seconds=15, unwanted=IN_CANCELLING_BATCH
    )
    assert [each.message_id for each in await held.release(ids[:1])] == ids[:1]
    await bench.catalogue.cancel(of.id, tenant_id=TENANT)
    assert await held.release(ids) == []
    now = bench.clock.now()
    handed_over = ProviderBatch(
        id="pb_1", provider="p", created_at=now, look_at=now, pull_at=of.expires_at
    )
    assert await ProviderBatchBook(bench.database, bench.clock).claim(handed_over, ids) == []


async def test_what_may_begin_is_cancelled_first_and_what_is_held_last(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "_CANCELLED_AT_ONCE", 2)
    bench.sent.holds = True
    of = await bench.expanded(SIX)
    ids = [str(message_id) for _, _, message_id in await bench.lines(of)]
    now = bench.clock.now()
    running = {"state": ResponseState.IN_PROGRESS, "released_at": now, "attempt": 1}
    for place in (2, 3):
        await bench.set(ids[place], **running)
    for place in (4, 5):
        await bench.set(ids[place], released_at=now)
    await bench.catalogue.cancel(of.id, tenant_id=TENANT)
    await bench.collector.step(await bench.now(of))
    groups = [{*bench.cancelled.told[first : first + 2]} for first in (0, 2, 4)]
    assert groups == [{*ids[4:]}, {*ids[2:4]}, {*ids[:2]}]
    assert {*bench.cancelled.settled} == {*ids[2:4]}, "the others hold nothing"
    assert (await bench.now(of)).counts == BatchCounts(total=6, cancelled=6)


async def test_who_dies_at_any_statement_of_cancelling_leaves_each_line_its_end(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "_CANCELLED_AT_ONCE", 2)
    bench = sqlite_bench
    for number in count(1, 2):
        of = await bench.expanded(SIX)
        answered, *_ = [str(message_id) for _, _, message_id in await bench.lines(of)]
        await bench.answer([answered])
        await bench.catalogue.cancel(of.id, tenant_id=TENANT)
        with dying_at(bench.database, number) as statements:
            await bench.collector()
        ended = await bench.collected(of)
        assert ended.state is BatchState.CANCELLED
        assert ended.counts == BatchCounts(total=6, completed=1, cancelled=5)
        assert len(await bench.read(ended.output_file_id)) == 1
        assert len(await bench.read(ended.error_file_id)) == 5
        bench.clock.advance(60)
        if not statements.has_died:
            break
    assert number > 9


async def test_lines_that_were_not_expanded_are_cancelled_without_a_message(bench: Bench) -> None:
    of = await bench.ask(SIX)
    await bench.expander.step(of)
    await bench.catalogue.cancel(of.id, tenant_id=TENANT)
    await bench.collector()
    await bench.expander()
    assert not await bench.count()
    ended = await bench.collected(of)
    assert ended.state is BatchState.CANCELLED
    assert ended.counts == BatchCounts(total=6, cancelled=6)
    assert len(await bench.read(ended.error_file_id)) == 6


async def test_one_that_was_not_validated_is_cancelled_at_once(bench: Bench) -> None:
    of = await bench.ask(SIX)
    await bench.catalogue.cancel(of.id, tenant_id=TENANT)
    await bench.expander()
    ended = await bench.collected(of)
    assert ended.state is BatchState.CANCELLED
    assert (ended.counts, ended.output_file_id) == (BatchCounts(), None)


async def test_requests_of_anthropics_are_told_as_cancelled_though_none_was_validated(
    bench: Bench,
) -> None:
    params = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"%d"}]}'
    lines = [b'{"custom_id":"c%d","params":%b}' % (n, params % n) for n in range(3)]
    asked = {"surface": BatchSurface.ANTHROPIC, "endpoint": BatchEndpoint.MESSAGES}
    of = await bench.ask(lines_of(*lines), **asked)
    await bench.catalogue.cancel(of.id, tenant_id=TENANT)
    await bench.collector()
    await bench.expander.step(of)  # whoever began to validate it comes too late
    await bench.expander()
    ended = await bench.collected(of)
    assert ended.state is BatchState.CANCELLED
    assert ended.counts == BatchCounts(total=3, cancelled=3)
    told = await bench.read(ended.output_file_id)
    assert [each["custom_id"] for each in told] == ["c0", "c1", "c2"]
    assert {each["result"]["type"] for each in told} == {"canceled"}
    assert not await bench.count()


async def test_an_expired_batch_keeps_what_was_answered_and_says_which_was_not(
    bench: Bench,
) -> None:
    of = await bench.partly()
    await bench.expire()
    ended = await bench.collected(of)
    assert ended.state is BatchState.EXPIRED
    assert ended.expired_at == bench.clock.now()
    assert ended.counts == replace(PARTLY, expired=4)
    told = await bench.read(ended.error_file_id)
    assert {each["error"]["code"] for each in told} == {"batch_expired"}
    assert all(each["error"]["message"] for each in told)
    assert len(await bench.read(ended.output_file_id)) == 2


async def test_what_does_not_end_by_itself_is_ended_a_minute_after_its_time(bench: Bench) -> None:
    of = await bench.partly()
    ids = [each.id for each in await bench.messages() if not each.state.is_terminal]
    for message_id in ids:
        await bench.set(message_id, state=ResponseState.REQUIRES_ACTION)
    bench.clock.advance((of.expires_at - bench.clock.now()).total_seconds() + 30)
    assert (await bench.collected(of)).state is BatchState.IN_PROGRESS
    bench.clock.advance(60)
    ended = await bench.collected(of)
    assert ended.state is BatchState.EXPIRED
    assert ended.counts == replace(PARTLY, expired=4)


async def test_a_batch_whose_time_is_over_is_not_begun(bench: Bench) -> None:
    of = await bench.ask(SIX)
    bench.clock.advance((of.expires_at - bench.clock.now()).total_seconds() + 1)
    await bench.expander()
    assert not await bench.count()
    ended = await bench.collected(of)
    assert ended.state is BatchState.EXPIRED
    assert ended.counts == BatchCounts(total=6, expired=6)


async def test_a_batch_that_is_about_to_end_is_not_cancelled(bench: Bench) -> None:
    of = await bench.answered()
    await bench.collector.step(of)
    told = await bench.catalogue.cancel(of.id, tenant_id=TENANT)
    assert told.state is BatchState.FINALIZING
    ended = await bench.collected(of)
    assert ended.state is BatchState.COMPLETED
    with pytest.raises(Conflict):
        await bench.catalogue.cancel(of.id, tenant_id=TENANT)

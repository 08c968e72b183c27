"""What leads to an erased message, or was made of it: in Redis, and in conversations."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from redis.asyncio import Redis

from shared.answer_cache.answer_cache import AnswerCache, Quest
from shared.answer_cache.stored_answer import CachedAnswer, CachePlace, CacheTicket
from shared.clock import ManualClock, SystemClock
from shared.conversations.catalogue import Conversations
from shared.conversations.history import ConversationRepository
from shared.conversations.joining import NamedItem
from shared.conversations.references import ReferencedItems
from shared.conversations.tables import conversation, conversation_item
from shared.erasing.erasing import Erasing
from shared.erasing.pages import QUIET
from shared.erasing.tables import ErasureSubject
from shared.errors import NotFound
from shared.messages.item import MessageItem, Role
from shared.messages.record import MessageRecord
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.redis.guarded import GuardedRedis
from shared.replies.reply_stream import ReplyStream
from workers.caching.semantic.entry import Removal, SemanticEntry
from workers.caching.semantic.entry_log import START, EntryLog
from workers.context.summary.summary_store import Summary, SummaryStore
from workers.context.summary.talk import Talk

from .conftest import Talks, finish

USER, CONVERSATION = ErasureSubject.USER, ErasureSubject.CONVERSATION


async def test_what_callers_put_into_a_conversation_goes_with_it(
    talks: Talks, erasing: Erasing, clock: ManualClock
) -> None:
    kept = Conversations(talks.database, clock)
    items = [NamedItem("msg_1", MessageItem(Role.USER, "a secret"))]
    first, other = [await kept.create("ten_1", {"topic": "a secret"}, items) for _ in range(2)]
    await talks.answered(conversation_id=first.id)
    clock.advance(QUIET.total_seconds())
    begun = await erasing.erasures.begin("ten_1", CONVERSATION, first.id)
    assert (await finish(erasing, begun, clock)).messages == 1
    assert {each["conversation_id"] for each in await talks.rows(conversation_item)} == {other.id}
    rows = {each["id"]: each for each in await talks.rows(conversation)}
    assert (rows[first.id]["notes"], rows[first.id]["deleted_at"]) == (None, clock.now())
    assert rows[other.id]["deleted_at"] is None


async def test_nothing_is_told_of_what_is_not_stored_or_erased(
    talks: Talks, ledger: MessageLedger, clock: ManualClock
) -> None:
    first = await talks.answered(conversation_id="conv_1")
    unstored = await talks.answered(conversation_id="conv_1", store=False)
    last = await talks.answered(conversation_id="conv_1", previous_id=first.id)
    next_one = await talks.accept(conversation_id="conv_1")
    history = ConversationRepository(talks.database)

    async def told(record: MessageRecord) -> int:
        earlier, _ = await history.before(record, [], limit=9, limit_bytes=9_999)
        return len(earlier)

    in_chain = msgspec.structs.replace(next_one, conversation_id=None, previous_id=last.id)
    assert [await told(next_one), await told(in_chain)] == [4, 4]
    assert await ledger.delete(first.id, tenant_id="ten_1")
    assert [await told(next_one), await told(in_chain)] == [2, 2]
    for gone in (first, unstored):
        with pytest.raises(NotFound):
            await told(msgspec.structs.replace(in_chain, previous_id=gone.id))
    item_ids = [each.id.replace("resp", "msg") for each in (first, unstored, last)]
    referenced = ReferencedItems(talks.database)
    found = await referenced.find(item_ids, tenant_id="ten_1", limit_bytes=9_999)
    assert [*found] == [item_ids[-1]]


async def test_redis_has_nothing_of_it_either(
    talks: Talks, erasing: Erasing, clock: ManualClock, redis_client: Redis
) -> None:
    theirs = await talks.answered(user_id="ann")
    others = await talks.answered(user_id="bob")
    stream = ReplyStream(redis_client, ttl_seconds=60)
    for each in (theirs, others):
        await stream.append(each.id, 1, [b'{"type":"x"}'])
    cache = AnswerCache(
        redis_client,
        SystemClock(),
        timeout_seconds=1,
        ttl_seconds=60,
        entries_per_tenant=10,
        flight_lease_seconds=1,
    )
    log = EntryLog(
        GuardedRedis(redis_client, SystemClock()), model="m", max_entries=9, ttl_seconds=60
    )
    places = [CachePlace("ten_1", "a" * 32), CachePlace("ten_1", "b" * 32)]
    for place, each in zip(places, (theirs, others), strict=True):
        await _store(cache, place, each.id)
        entry = SemanticEntry(place.entry_id, f"a question of {each.user_id}", 2e9, b"v")
        await log.append("space", entry)
    summaries = SummaryStore(redis_client, ttl_seconds=60)
    talk = Talk("ten_1", [MessageItem(Role.USER, f"word {n}") for n in range(20)])
    await summaries.keep(talk, Summary("ann said words", max(talk.checkpoints)))
    clock.advance(QUIET.total_seconds())
    done = await finish(erasing, await erasing.erasures.begin("ten_1", USER, "ann"), clock)
    assert done.stored_answers == 1
    assert [len(await stream.read(each.id, after=-1)) for each in (theirs, others)] == [0, 1]
    found = [await cache.look_up(Quest(place=place)) for place in places]
    assert [each is not None and each.answer is not None for each in found] == [False, True]
    changes = (await log.read_all({"space": START}, limit=9))["space"].changes
    assert changes[1:] == [Removal(places[0].entry_id)]
    assert isinstance(changes[0], SemanticEntry)
    assert changes[0].text == "a question of bob"
    assert await summaries.find(talk) is None
    for thing in (stream, cache):
        await thing.close()
    dump = [await redis_client.dump(key) async for key in redis_client.scan_iter()]
    assert not any(b"ann" in each for each in dump)


async def _store(cache: AnswerCache, place: CachePlace, response_id: str) -> None:
    found = await cache.look_up(Quest(place=place))
    assert found is not None
    ticket = CacheTicket(place, found.generation, namespace="space", question="q")
    answer = CachedAnswer(
        text="an answer", model="m", answered_by="p", response_id=response_id, cost=Decimal(1)
    )
    assert await cache.store(ticket, answer)

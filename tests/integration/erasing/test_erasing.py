"""All of a user's or a conversation's is erased, and nothing of anybody else's; costs stay."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis
from sqlalchemy import update

from shared.clock import ManualClock
from shared.erasing.erasing import Erasing
from shared.erasing.pages import QUIET
from shared.erasing.tables import ErasureStage, ErasureSubject, erasure
from shared.errors import InvalidRequest
from shared.messages.state import ResponseState
from shared.persistence.tables import attempt, dead_letter, handoff, message
from shared.replies.wakeups import Wakeups

from .conftest import Talks, finish

USER, CONVERSATION = ErasureSubject.USER, ErasureSubject.CONVERSATION
WHOSE = {USER: {"user_id": "ann"}, CONVERSATION: {"conversation_id": "conv_1"}}
NAMES = {USER: "ann", CONVERSATION: "conv_1"}
OTHERS = {"user_id": "bob", "conversation_id": "conv_2"}


@pytest.fixture(params=ErasureSubject)
def subject(request: pytest.FixtureRequest) -> ErasureSubject:
    return ErasureSubject(request.param)


async def test_only_costs_are_left_of_it_and_all_is_left_of_others(
    talks: Talks, erasing: Erasing, clock: ManualClock, subject: ErasureSubject
) -> None:
    theirs = await talks.answered(**WHOSE[subject], idempotency_key="k1", previous_id="resp_0")
    failed = await talks.answered(**WHOSE[subject], state=ResponseState.FAILED)
    others = await talks.answered(**OTHERS)
    elsewhere = await talks.answered(**WHOSE[subject], tenant_id="ten_2")
    kept = {each["id"]: each for each in await talks.rows(message)}
    clock.advance(QUIET.total_seconds())
    begun = await erasing.erasures.begin("ten_1", subject, NAMES[subject])
    done = await finish(erasing, begun, clock)
    assert (done.messages, done.cancelled, done.name) == (2, 0, None)
    rows = {each["id"]: each for each in await talks.rows(message)}
    assert [rows[each.id] for each in (others, elsewhere)] == [
        kept[each.id] for each in (others, elsewhere)
    ]
    for each in (theirs, failed):
        left = repr(rows[each.id])
        assert "forebay?" not in left
        assert "secret" not in left
        assert NAMES[subject] not in left
        assert await talks.ledger.find(each.id) is None
    assert await talks.rows(dead_letter) == []
    booked = {each["message_id"]: each for each in await talks.rows(attempt)}
    assert booked.keys() == {theirs.id, failed.id, others.id, elsewhere.id}
    assert [booked[each.id]["detail"] for each in (theirs, failed, others)] == [
        None,
        None,
        "a secret",
    ]
    if subject is USER:
        assert booked[theirs.id]["user_id"] is None


async def test_what_has_not_ended_is_cancelled_and_erased_when_its_worker_has_let_go(
    talks: Talks, erasing: Erasing, clock: ManualClock, redis_client: Redis, subject: ErasureSubject
) -> None:
    queued = await talks.accept(**WHOSE[subject])
    running = await talks.accept(**WHOSE[subject])
    (claimed,) = await talks.claims.flush([running.id])
    with_a_human = await talks.answered(**WHOSE[subject], state=ResponseState.REQUIRES_ACTION)
    clock.advance(1)
    begun = await erasing.erasures.begin("ten_1", subject, NAMES[subject])
    wakeups = Wakeups(redis_client)
    async with wakeups.listen(running.id) as caller, wakeups.listen("worker-1") as worker:
        for each in (caller, worker):
            await each.wait()  # until the subscription stands
            each.clear()
        await erasing.eraser.step(begun)
        await caller.wait()
        await worker.wait()
    await wakeups.close()
    after = await erasing.erasures.find(begun.id, tenant_id="ten_1")
    assert after is not None
    assert (after.stage, after.cancelled, after.messages) == (ErasureStage.MESSAGES, 3, 0)
    assert after.due_at == clock.now() + QUIET
    # Its worker has not heard of it yet: its end is refused, what it called is booked with words.
    assert not await talks.settle(claimed)  # type: ignore[arg-type]
    done = await finish(erasing, after, clock)
    assert (done.messages, done.cancelled) == (3, 3)
    for each in (queued, running, with_a_human):
        assert await talks.ledger.find(each.id) is None
    assert await talks.rows(handoff) == []
    assert {each["detail"] for each in await talks.rows(attempt)} == {None}


async def test_what_ended_just_now_is_waited_for_until_it_is_a_minute_old(
    talks: Talks, erasing: Erasing, clock: ManualClock, subject: ErasureSubject
) -> None:
    await talks.answered(**WHOSE[subject])
    ended_at = clock.now()
    clock.advance(QUIET.total_seconds() - 15)
    begun = await erasing.erasures.begin("ten_1", subject, NAMES[subject])
    await erasing.eraser.step(begun)
    after = await erasing.erasures.find(begun.id, tenant_id="ten_1")
    assert after is not None
    assert (after.stage, after.messages) == (ErasureStage.MESSAGES, 0)
    assert after.due_at == ended_at + QUIET


async def test_messages_after_the_request_are_new_ones(
    talks: Talks, erasing: Erasing, clock: ManualClock
) -> None:
    await talks.answered(user_id="ann")
    clock.advance(QUIET.total_seconds())
    begun = await erasing.erasures.begin("ten_1", USER, "ann")
    later = await talks.answered(user_id="ann")
    assert (await finish(erasing, begun, clock)).messages == 1
    assert await talks.ledger.find(later.id) is not None


async def test_costs_of_messages_that_retention_deleted_name_nobody_afterwards(
    talks: Talks, erasing: Erasing, clock: ManualClock
) -> None:
    record = await talks.answered(user_id="ann")
    async with talks.database.durable.begin() as connection:
        await connection.execute(message.delete().where(message.c.id == record.id))
    clock.advance(1)
    done = await finish(erasing, await erasing.erasures.begin("ten_1", USER, "ann"), clock)
    (booked,) = await talks.rows(attempt)
    assert (done.messages, booked["user_id"], booked["detail"]) == (0, None, None)


async def test_dead_letters_that_name_the_user_go_and_others_stay(
    talks: Talks, erasing: Erasing, clock: ManualClock
) -> None:
    await talks.letter("dead_1", b'{"user": "ann", "input": "a sec')
    await talks.letter("dead_2", b'{"user": "joann", "input": "ann"')
    await talks.letter("dead_3", b'{"user": "bob"}')
    await finish(erasing, await erasing.erasures.begin("ten_1", USER, "ann"), clock)
    left = {each["id"] for each in await talks.rows(dead_letter)}
    assert left == {"dead_3"}


async def test_it_goes_on_where_it_was_interrupted_and_two_at_once_count_once(
    talks: Talks, erasing: Erasing, clock: ManualClock
) -> None:
    for _ in range(3):
        await talks.answered(user_id="ann")
    clock.advance(QUIET.total_seconds())
    begun = await erasing.erasures.begin("ten_1", USER, "ann")
    assert await erasing.erasures.begin("ten_1", USER, "ann") == begun
    await erasing.eraser.step(begun)
    await erasing.eraser.step(begun)  # whoever read it at the same moment
    after = await erasing.erasures.find(begun.id, tenant_id="ten_1")
    assert after is not None
    assert (after.messages, after.stage) == (3, ErasureStage.BOOKINGS)
    done = await finish(erasing, after, clock)
    again = await finish(erasing, await erasing.erasures.begin("ten_1", USER, "ann"), clock)
    assert again.id != done.id
    assert (done.messages, again.messages) == (3, 0)


async def test_a_user_of_more_messages_than_a_page_is_erased_in_several(
    talks: Talks, erasing: Erasing, clock: ManualClock
) -> None:
    record = await talks.answered(user_id="ann")
    (row,) = await talks.rows(message)
    copies = [
        row | {"id": f"{record.id[:-4]}{n:04x}", "idempotency_key": None} for n in range(40, 2_540)
    ]
    async with talks.database.durable.begin() as connection:
        await connection.execute(message.insert(), copies)
    clock.advance(QUIET.total_seconds())
    begun = await erasing.erasures.begin("ten_1", USER, "ann")
    await erasing.eraser.step(begun)
    after = await erasing.erasures.find(begun.id, tenant_id="ten_1")
    assert after is not None
    assert (after.stage, after.messages) == (ErasureStage.MESSAGES, 500)
    assert (await finish(erasing, after, clock)).messages == 2_501


async def test_a_name_that_nobody_can_have_is_refused(erasing: Erasing) -> None:
    for name in ("", "x" * 129, "a\0b"):
        with pytest.raises(InvalidRequest, match="1 to 128 characters"):
            await erasing.erasures.begin("ten_1", USER, name)
    assert await erasing.erasures.find("a\0b", tenant_id="ten_1") is None


async def test_another_tenants_erasure_does_not_exist(erasing: Erasing) -> None:
    begun = await erasing.erasures.begin("ten_1", USER, "ann")
    assert await erasing.erasures.find(begun.id, tenant_id="ten_2") is None
    assert (await erasing.erasures.begin("ten_2", USER, "ann")).id != begun.id


async def test_the_rounds_of_a_worker_finish_it_and_forget_it_a_month_later(
    talks: Talks, erasing: Erasing, clock: ManualClock
) -> None:
    await talks.answered(user_id="ann")
    clock.advance(QUIET.total_seconds())
    begun = await erasing.erasures.begin("ten_1", USER, "ann")
    await erasing()
    done = await erasing.erasures.find(begun.id, tenant_id="ten_1")
    assert done is not None
    assert done.completed_at == clock.now()
    async with talks.database.durable.begin() as connection:
        await connection.execute(update(erasure).values(completed_at=clock.now()))
    clock.advance(31 * 86_400)
    await erasing()
    assert await erasing.erasures.find(begun.id, tenant_id="ten_1") is None

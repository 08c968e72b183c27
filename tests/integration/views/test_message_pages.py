"""Messages are shown a page at a time, and no page looks at all there are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.clock import ManualClock
from shared.errors import InvalidRequest
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.tables import message, tenant
from shared.views.conversation_messages import ConversationMessages
from shared.views.message_pages import MessageFilter, MessagePages
from shared.views.place import Place

from .shelf import ViewedLedger


async def test_pages_follow_each_other_from_the_latest_to_the_first(viewed: ViewedLedger) -> None:
    await viewed.messages(7)
    messages, shown, before = MessagePages(viewed.database), [], None
    for expected in (3, 3, 1):
        page = await messages.page(MessageFilter(), before=before, limit=3)
        assert len(page.rows) == expected
        shown += [row.id for row in page.rows]
        before = page.next
    assert before is None
    assert shown == [viewed.id_of(nth) for nth in reversed(range(7))]


async def test_each_filter_holds(viewed: ViewedLedger) -> None:
    await viewed.messages(3)
    of_one = {"tenant_id": "ten_2", "user_id": "ann", "lane": Lane.BATCH, "model": "m"}
    row = viewed.message(3, **of_one, state=ResponseState.FAILED)
    await viewed.put(message, row)
    messages = MessagePages(viewed.database)
    for wanted in (
        MessageFilter(tenant_id="ten_2"),
        MessageFilter(user_id="ann"),
        MessageFilter(lane=Lane.BATCH),
        MessageFilter(state=ResponseState.FAILED),
        MessageFilter(model="m"),
        MessageFilter(since=viewed.at(3)),
        MessageFilter(tenant_id="ten_2", state=ResponseState.FAILED),
    ):
        found = await messages.page(wanted, limit=10)
        assert [row.id for row in found.rows] == [viewed.id_of(3)], wanted
    earlier = await messages.page(MessageFilter(until=viewed.at(1)), limit=10)
    assert [row.id for row in earlier.rows] == [viewed.id_of(0)]
    assert not (await messages.page(MessageFilter(tenant_id="ten_3"), limit=10)).rows


async def test_a_rare_filter_is_gone_on_with_instead_of_looking_for_ever(
    viewed: ViewedLedger,
) -> None:
    rare = viewed.message(0, tenant_id="ten_rare")
    rows = [viewed.message(nth) for nth in range(1, 10)]
    await viewed.put(message, rare, *rows)
    messages = MessagePages(viewed.database, looked_at=4)
    wanted, pages, before = MessageFilter(tenant_id="ten_rare"), [], None
    for _ in range(3):
        pages.append(await messages.page(wanted, before=before, limit=5))
        before = pages[-1].next
    assert [len(page.rows) for page in pages] == [0, 0, 1]
    assert [page.looked_back_to for page in pages] == [viewed.at(6), viewed.at(2), None]
    assert before is None


async def test_a_conversation_is_found_with_what_has_not_ended_first(
    viewed: ViewedLedger, clock: ManualClock
) -> None:
    await viewed.put(
        tenant,
        *({"id": f"ten_{n}", "name": f"t{n}", "created_at": clock.now()} for n in range(1, 4)),
    )
    talk = {"conversation_id": "conv_1"}
    ended = [
        viewed.message(nth, **talk, finished_at=viewed.at(nth) + timedelta(seconds=1))
        for nth in range(4)
    ]
    await viewed.put(message, *ended, viewed.message(9, **talk), viewed.message(10))
    await viewed.put(message, viewed.message(11, **talk, tenant_id="ten_3"))
    found = ConversationMessages(viewed.database)
    assert await found.tenants("conv_1") == ["ten_1", "ten_3"]
    assert await found.tenants("conv_\0") == []
    first = await found.page("ten_1", "conv_1", limit=3)
    assert [row.id for row in first.rows] == [viewed.id_of(nth) for nth in (9, 3, 2, 1)]
    assert first.next is not None
    rest = await found.page("ten_1", "conv_1", before=Place.read(first.next), limit=3)
    assert [row.id for row in rest.rows] == [viewed.id_of(0)]
    assert rest.next is None


@pytest.mark.parametrize("told", ["", "~", "2026-01-01~x", "2026-01-01T00:00:00+00:00~", "x~y"])
def test_what_is_no_place_in_a_list_is_refused(told: str) -> None:
    with pytest.raises(InvalidRequest, match="Give the 'next'"):
        Place.read(told)

"""Dead letters and handoffs: what is open, why, and how long, however much is closed."""

from __future__ import annotations

from shared.messages.dead_letter import DeadReason
from shared.persistence.tables import DeadLetterState, HandoffState
from shared.views.inbox import Inbox
from shared.views.letter_pages import LetterFilter, LetterPages
from shared.views.place import Place

from .shelf import ViewedLedger


async def test_open_letters_are_paged_from_the_newest_and_counted_by_reason(
    viewed: ViewedLedger,
) -> None:
    await viewed.letters(3)
    await viewed.letters(4, first=10, state=DeadLetterState.REPLAYED)
    await viewed.letters(2, first=20, reason=DeadReason.REFUSED, tenant_id="ten_2")
    letters = LetterPages(viewed.database)
    first = await letters.page(LetterFilter(), limit=3)
    assert [row.id for row in first.rows] == ["dead_0021", "dead_0020", "dead_0002"]
    assert first.next is not None
    rest = await letters.page(LetterFilter(), before=Place.read(first.next), limit=3)
    assert [row.id for row in rest.rows] == ["dead_0001", "dead_0000"]
    assert rest.next is None
    counts = await letters.counts()
    assert counts.by_reason == {DeadReason.FAULT: 3, DeadReason.REFUSED: 2}
    assert not counts.is_cut
    everything = await letters.page(LetterFilter(is_everything=True), limit=50)
    assert len(everything.rows) == 9


async def test_a_rare_reason_is_gone_on_with(viewed: ViewedLedger) -> None:
    await viewed.letters(1, reason=DeadReason.TOO_LARGE)
    await viewed.letters(5, first=1)
    letters, wanted = (
        LetterPages(viewed.database, looked_at=3),
        LetterFilter(reason=DeadReason.TOO_LARGE),
    )
    first = await letters.page(wanted, limit=2)
    assert not first.rows
    assert first.next is not None
    rest = await letters.page(wanted, before=Place.read(first.next), limit=2)
    assert [row.id for row in rest.rows] == ["dead_0000"]
    assert (await letters.counts()).is_cut


async def test_who_waits_longest_for_a_person_comes_first(viewed: ViewedLedger) -> None:
    await viewed.handoffs(2, state=HandoffState.ANSWERED)
    await viewed.handoffs(3, first=10)
    await viewed.handoffs(1, first=20, reason="it asked for one")
    inbox = Inbox(viewed.database)
    first = await inbox.page(limit=3)
    assert [row.id for row in first.rows] == ["hand_0010", "hand_0011", "hand_0012"]
    assert first.next is not None
    rest = await inbox.page(before=Place.read(first.next), limit=3)
    assert [row.id for row in rest.rows] == ["hand_0020"]
    counts = await inbox.counts()
    assert [*counts.by_reason.items()] == [("no provider", 3), ("it asked for one", 1)]
    assert counts.waiting == 4
    assert counts.oldest_at == viewed.at(10)
    everything = await inbox.page(is_everything=True, limit=2)
    assert [row.id for row in everything.rows] == ["hand_0020", "hand_0012"]


async def test_an_empty_inbox_has_nothing_to_tell(viewed: ViewedLedger) -> None:
    inbox = Inbox(viewed.database)
    assert not (await inbox.page(limit=3)).rows
    counts = await inbox.counts()
    assert (counts.waiting, counts.oldest_at, counts.is_cut) == (0, None, False)
    assert (await LetterPages(viewed.database).counts()).by_reason == {}

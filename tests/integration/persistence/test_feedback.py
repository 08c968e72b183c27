"""The book of feedback on both databases: what is kept, how much, and for how long."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.clock import ManualClock
from shared.erasing.retention import Retention
from shared.errors import Conflict
from shared.evaluation.satisfaction import satisfaction_of
from shared.feedback.book import KEPT_EARLIER, MOST_ON_ONE, ChangedTooOften, FeedbackBook
from shared.feedback.verdict import FeedbackVerdict, GivenFeedback, verdict_of
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.settings.servers import LedgerSettings

from .conftest import AnswerMessage, NewMessage

OWNER = "ten_1"


@pytest.fixture
def book(database: Database, clock: ManualClock) -> FeedbackBook:
    return FeedbackBook(database, clock)


def said(value: bool | float | str = True, **more: str) -> FeedbackVerdict:
    return verdict_of(GivenFeedback(value=value, **({"name": "helpful"} | more)))


async def test_the_last_word_counts_and_the_words_before_are_kept(
    book: FeedbackBook, clock: ManualClock
) -> None:
    first = await book.give(OWNER, "resp_1", said(True, comment="Fine."))
    clock.advance(1)
    assert await book.give(OWNER, "resp_1", said(True, comment="Fine.")) == (first.record, False)
    changed = await book.give(OWNER, "resp_1", said(0.25))
    assert changed.is_new
    await book.give(OWNER, "resp_1", said("bad", source="ann"))
    await book.give(OWNER, "resp_2", said())
    mine, anns = await book.of(OWNER, "resp_1")
    assert mine == changed.record
    assert (mine.value, mine.comment, mine.changes, mine.is_negative) == (0.25, None, 1, True)
    assert [(each.original, each.value) for each in mine.earlier] == [(True, 1.0)]
    assert mine.created_at == first.record.created_at < mine.at
    assert (anns.source, anns.label, anns.value) == ("ann", "bad", 0.0)
    assert await book.of("ten_2", "resp_1") == []


async def test_pages_go_from_the_newest_and_miss_none(
    book: FeedbackBook, clock: ManualClock
) -> None:
    for number in range(6):
        await book.give(OWNER, f"resp_{number}", said(number % 2 == 0))
        clock.advance(number % 3 and 1)  # some at the same time
    await book.give("ten_2", "resp_9", said())
    whole = await book.page(OWNER)
    assert len(whole) == 6
    assert whole == sorted(whole, key=lambda each: (each.at, each.id), reverse=True)
    pages, before = [], None
    while page := await book.page(OWNER, before=before, limit=2):
        pages += page
        before = page[-1]
    assert pages == whole
    assert {each.response_id for each in await book.page(OWNER, negative=True)} == {
        "resp_1",
        "resp_3",
        "resp_5",
    }
    assert await book.page(OWNER, name="other") == []


async def test_a_thousand_verdicts_on_one_answer_are_bounded(
    book: FeedbackBook, clock: ManualClock
) -> None:
    many = [book.give(OWNER, "resp_1", said(name=f"n{number}")) for number in range(2)]
    await asyncio.gather(*many)
    for number in range(2, MOST_ON_ONE):
        await book.give(OWNER, "resp_1", said(name=f"n{number}"))
    with pytest.raises(Conflict, match="Change one of them"):
        await book.give(OWNER, "resp_1", said(name="one too many"))
    waits = []
    for number in range(1_000 - MOST_ON_ONE):
        try:
            await book.give(OWNER, "resp_1", said(number / 1_000, name="n0"))
        except ChangedTooOften as error:
            waits.append(error.retry_after_seconds)
    assert waits == [pytest.approx(60, abs=1)] * (1_000 - MOST_ON_ONE - 9)
    clock.advance(60)
    for number in range(30):
        clock.advance(7)
        await book.give(OWNER, "resp_1", said(number / 100, name="n0"))
    kept = await book.of(OWNER, "resp_1")
    assert len(kept) == MOST_ON_ONE
    assert max(len(each.earlier) for each in kept) == KEPT_EARLIER


async def test_a_clock_that_was_ahead_keeps_nobody_from_a_last_word(
    book: FeedbackBook, clock: ManualClock
) -> None:
    clock.jump(timedelta(days=1))
    for nth in range(12):
        clock.advance(10)
        await book.give(OWNER, "resp_1", said(nth / 12))
    clock.jump(timedelta(days=-1))
    given = await book.give(OWNER, "resp_1", said(1.0))
    assert given.record.value == 1.0


async def test_who_is_no_judge_is_a_person_however_the_name_is_written(
    book: FeedbackBook, database: Database
) -> None:
    sources = {"ann": 1.0, "Judge:ann": 0.2, "judges": 0.0, "judge": 0.9, "judge:tone": 0.9}
    for source, value in sources.items():
        await book.give(OWNER, "resp_1", said(value, source=source))
    assert await satisfaction_of(database, ["resp_1"]) == {"resp_1": pytest.approx(0.4)}


async def test_writers_at_the_same_time_go_beyond_nothing(book: FeedbackBook) -> None:
    for number in range(MOST_ON_ONE - 2):
        await book.give(OWNER, "resp_1", said(name=f"n{number}"))
    racing = [book.give(OWNER, "resp_1", said(name=f"r{number}")) for number in range(6)]
    outcomes = await asyncio.gather(*racing, return_exceptions=True)
    assert sum(isinstance(each, Conflict) for each in outcomes) == 4
    same = [book.give(OWNER, "resp_2", said(source="ann")) for _ in range(6)]
    assert sum(given.is_new for given in await asyncio.gather(*same)) == 1
    assert len(await book.of(OWNER, "resp_1")) == MOST_ON_ONE


async def test_comments_go_with_what_was_said_and_verdicts_when_their_time_is_over(
    book: FeedbackBook,
    answer_message: AnswerMessage,
    new_message: NewMessage,
    ledger: MessageLedger,
    database: Database,
    settings: LedgerSettings,
    clock: ManualClock,
) -> None:
    kept = await answer_message(new_message())
    deleted = await answer_message(new_message())
    for each in (kept, deleted):
        await book.give(OWNER, each.id, said(False, comment="It named my street."))
    await ledger.delete(deleted.id, tenant_id=OWNER)
    assert [each.comment for each in await book.of(OWNER, kept.id)] == ["It named my street."]
    (left,) = await book.of(OWNER, deleted.id)
    assert (left.comment, left.value) == (None, 0.0)
    retention = Retention(database, settings, clock)
    clock.advance(timedelta(days=settings.retention_days - 1).total_seconds())
    await book.give(OWNER, kept.id, said(True, name="late"))
    assert (await retention.forget_old())["feedback"] == 0
    clock.advance(timedelta(days=2).total_seconds())
    assert (await retention.forget_old())["feedback"] == 2
    assert [each.name for each in await book.of(OWNER, kept.id)] == ["late"]

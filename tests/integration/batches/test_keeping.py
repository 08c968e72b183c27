"""How long what belongs to batches is kept."""

from __future__ import annotations

from sqlalchemy import func, select, update

from shared.batches.state import BatchState
from shared.batches.tables import batch, batch_item
from shared.clock import ManualClock
from shared.erasing.retention import Retention
from shared.erasing.unstored import UnstoredMessages
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction
from shared.persistence.tables import message
from shared.settings.servers import LedgerSettings

from .bench import Bench, chat, lines_of

DAY = 86_400
LINES = lines_of(*(chat(n, store=False) for n in range(4)))


class _NoReplies:
    async def delete_all(self, message_ids: list[str]) -> None:
        """There are none."""


async def test_an_answer_is_kept_while_its_batch_is_open_and_no_longer(
    bench: Bench, database: Database, clock: ManualClock
) -> None:
    retention = Retention(database, LedgerSettings(retention_days=1), clock)
    of = await bench.expanded(LINES)
    await bench.answer([each.id for each in (await bench.messages())[:3]])
    clock.advance(2 * DAY)
    await retention.forget_old()
    assert await bench.count() == 4
    await bench.answer()
    async with transaction(database.durable) as connection:
        # A window that is longer than what is kept is kept.
        await connection.execute(update(batch).values(expires_at=clock.now()))
    ended = await bench.collected(of)
    assert ended.state is BatchState.COMPLETED
    clock.advance(DAY - 1)
    await retention.forget_old()
    assert (await _rows(database))[:2] == (1, 4)
    clock.advance(2)
    await retention.forget_old()
    assert await _rows(database) == (0, 0, 0), "what was kept for it goes with it"
    assert len(await bench.read(ended.output_file_id)) == 4


async def test_what_is_not_to_be_stored_goes_when_its_batch_has_ended(
    bench: Bench, database: Database, clock: ManualClock
) -> None:
    settings = LedgerSettings(unstored_seconds=60)
    unstored = UnstoredMessages(database, _NoReplies(), settings, clock)  # type: ignore[arg-type]
    of = await bench.expanded(LINES)
    await bench.answer()
    clock.advance(600)
    assert not await unstored.forget()
    ended = await bench.collected(of)
    assert len(await bench.read(ended.output_file_id)) == 4
    assert await unstored.forget() == 4


async def test_a_batch_of_a_time_that_is_not_over_is_kept(
    bench: Bench, database: Database, clock: ManualClock
) -> None:
    retention = Retention(database, LedgerSettings(retention_days=30), clock)
    of = await bench.expanded(LINES)
    await bench.answer()
    await bench.collected(of)
    clock.advance(29 * DAY)
    await retention.forget_old()
    assert await _rows(database) == (1, 4, 4)
    async with transaction(database.durable) as connection:
        early = update(message).values(finished_at=clock.now())
        await connection.execute(early.where(message.c.id == (await bench.messages())[0].id))
    clock.advance(2 * DAY)
    await retention.forget_old()
    assert await _rows(database) == (0, 0, 0)


async def _rows(database: Database) -> tuple[int, ...]:
    async with reading(database.relaxed) as connection:
        tables = batch, batch_item, message
        return tuple(
            [
                await connection.scalar(select(func.count()).select_from(each)) or 0
                for each in tables
            ]
        )

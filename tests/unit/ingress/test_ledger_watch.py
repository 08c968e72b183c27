"""One look at the ledger for all who wait at a door."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from ingress import ledger_watch
from ingress.ledger_watch import LedgerWatch
from shared.errors import LedgerUnavailable
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.ledger.message_states import Standing
from tests.queued_message import queued_message


class Looks:
    """A ledger that counts how it is looked at."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.standings: dict[str, Standing] = {}
        self.looked = asyncio.Event()
        self.is_away = False

    async def __call__(self, ids: Sequence[str]) -> Mapping[str, Standing]:
        self.groups.append([*ids])
        self.looked.set()
        if self.is_away:
            raise LedgerUnavailable("away")
        return {each: self.standings[each] for each in ids if each in self.standings}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_watch, "LOOK_SECONDS", 0.005)


def _record(message_id: str) -> MessageRecord:
    return queued_message(id=message_id, accepted_at=datetime.now(UTC))


async def test_a_thousand_waiters_cost_one_look_and_only_whom_it_concerns_is_woken() -> None:
    looks = Looks()
    records = [_record(f"resp_{number}") for number in range(1000)]
    looks.standings = {each.id: Standing(ResponseState.QUEUED, 0) for each in records}
    looks.standings["resp_7"] = Standing(ResponseState.COMPLETED, 1)
    watch, wakes = LedgerWatch(looks), [asyncio.Event() for _ in records]
    with ExitStack() as stack:
        pairs = zip(records, wakes, strict=True)
        watched = [stack.enter_context(watch.watching(*pair)) for pair in pairs]
        async with asyncio.timeout(60):
            await wakes[7].wait()
    assert [len(group) for group in looks.groups] == [1000]
    assert [number for number, wake in enumerate(wakes) if wake.is_set()] == [7]
    assert (watched[7].take_news(), watched[7].take_news()) == (True, False)
    await watch.close()


async def test_a_deleted_message_is_news_and_a_ledger_that_is_away_is_none() -> None:
    looks = Looks()
    looks.is_away = True
    watch, wake = LedgerWatch(looks), asyncio.Event()
    with watch.watching(_record("resp_1"), wake) as watched:
        async with asyncio.timeout(60):
            await looks.looked.wait()
            assert not watched.take_news()
            looks.is_away = False
            await wake.wait()
        assert watched.take_news()
    await watch.close()

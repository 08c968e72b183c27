"""One look for all pages, and none while there are none."""

from __future__ import annotations

import msgspec

from ingress.console.live.broadcast import Broadcast
from ingress.console.live.topic import Topic
from shared.clock import ManualClock
from shared.errors import LedgerUnavailable


class Figure:
    """Counts how often it is looked at; fails while it is told to."""

    def __init__(self) -> None:
        self.looks = 0
        self.fails: Exception | None = None

    async def look(self) -> int:
        self.looks += 1
        if self.fails is not None:
            raise self.fails
        return self.looks


async def test_it_looks_once_for_all_pages_and_not_at_all_for_none() -> None:
    figure = Figure()
    broadcast = Broadcast([Topic("figure", figure.look)], ManualClock())
    async with broadcast.listening(), broadcast.listening(), broadcast.listening():
        await broadcast.beat()
        assert (broadcast.listeners, figure.looks) == (3, 1)
    assert broadcast.listeners == 0
    async with broadcast.listening():
        await broadcast.beat()
        assert figure.looks == 2, "who comes back is told at once"


async def test_a_page_is_told_what_it_does_not_know_yet_and_that_alone() -> None:
    figure = Figure()
    broadcast = Broadcast([Topic("figure", figure.look)], ManualClock())
    known: dict[str, msgspec.Raw] = {}
    async with broadcast.listening():
        await broadcast.beat()
        assert set(broadcast.news(known)) == {"figure", "trouble"}
        assert broadcast.news(known) == {}


async def test_one_topic_that_fails_leaves_the_others_theirs_and_is_tried_again() -> None:
    failing, other, clock = Figure(), Figure(), ManualClock()
    failing.fails = LedgerUnavailable("It is away.")
    topics = [Topic("failing", failing.look), Topic("other", other.look)]
    broadcast, known = Broadcast(topics, clock), dict[str, msgspec.Raw]()
    async with broadcast.listening():
        await broadcast.beat()
        news = {name: msgspec.json.decode(told) for name, told in broadcast.news(known).items()}
        assert news == {"other": 1, "trouble": "ledger_unavailable"}
        failing.fails = ValueError("nobody foresaw it")
        clock.advance(2.0)
        await broadcast.beat()
        assert msgspec.json.decode(broadcast.news(known)["trouble"]) == "internal"
        failing.fails = None
        clock.advance(2.0)
        await broadcast.beat()
        assert msgspec.json.decode(broadcast.news(known)["trouble"]) is None


async def test_whoever_waits_when_it_stops_goes_on_at_once() -> None:
    broadcast = Broadcast([], ManualClock())
    async with broadcast.listening():
        broadcast.stop()
        await broadcast.beat()
        await broadcast.beat()
    assert broadcast.has_stopped()

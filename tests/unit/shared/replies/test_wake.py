"""What a wake-up tells whoever waits, and what it leaves to the stream."""

from __future__ import annotations

import asyncio

import pytest

from shared.replies.wakeups import Wake


class OlderWake(asyncio.Event):
    """As a door of the version before hears: it knows of nothing but an end without a stream."""

    news: bytes = b""

    def hear(self, said: bytes) -> None:
        if said.startswith(b"{"):
            self.news = said
        self.set()


@pytest.mark.parametrize("said", [b"2\n{}", b"7\n{}\n{}", b"7", b"0", b"", b"ledger"])
def test_a_door_of_the_version_before_is_woken_and_takes_no_stream_for_an_end(said: bytes) -> None:
    older = OlderWake()
    older.hear(said)
    assert (older.is_set(), older.news) == (True, b"")


@pytest.mark.parametrize("said", [b"7", b"0", b"", b"ledger", b"x\n{}", b"-3\n{}", b"9" * 5_000])
def test_what_tells_no_event_wakes_and_leaves_all_to_the_stream(said: bytes) -> None:
    wake = Wake()
    wake.hear(b"2\n{}")
    wake.take(after=1)
    wake.hear(said)
    assert wake.is_set()
    assert (wake.news, wake.take(after=6), wake.take(after=1)) == (b"", [], [])


def test_the_end_of_what_is_not_kept_is_the_news() -> None:
    wake = Wake()
    wake.hear(b'{"type":"response.completed"}')
    assert wake.is_set()
    assert (wake.news, wake.take(after=1)) == (b'{"type":"response.completed"}', [])


def test_events_are_taken_in_their_order_and_once() -> None:
    wake = Wake()
    wake.hear(b"3\na\nb")
    wake.hear(b"4\nc")
    assert wake.take(after=1) == [(2, b"a"), (3, b"b"), (4, b"c")]
    assert wake.take(after=1) == []
    wake.hear(b"5\nd")
    assert wake.take(after=4) == [(5, b"d")]


@pytest.mark.parametrize(("after", "taken"), [(2, [b"b", b"c"]), (4, []), (2**62, [])])
def test_what_a_reader_has_already_is_not_taken_again(after: int, taken: list[bytes]) -> None:
    wake = Wake()
    wake.hear(b"4\na\nb\nc")
    assert [event for _, event in wake.take(after=after)] == taken


def test_a_reader_that_misses_one_is_given_none() -> None:
    wake = Wake()
    wake.hear(b"4\nc")
    assert wake.take(after=2) == []


def test_after_one_that_was_not_told_only_what_follows_it_is_kept() -> None:
    wake = Wake()
    wake.hear(b"2\na")
    wake.hear(b"3")
    wake.hear(b"4\nc")
    assert wake.take(after=1) == []
    wake.hear(b"5\nd")
    assert wake.take(after=4) == [(5, b"d")]


def test_what_came_before_a_break_is_left_to_the_stream() -> None:
    wake = Wake()
    wake.hear(b"2\na")
    wake.look()
    assert wake.is_set()
    assert wake.take(after=1) == []


def test_one_who_takes_nothing_keeps_little() -> None:
    wake = Wake()
    for number in range(2, 1_000):
        wake.hear(b"%d\n%s" % (number, b"x" * 1_000))
    assert wake.take(after=1) == []
    for number in range(1_000, 1_010):
        wake.hear(b"%d\n%s" % (number, b"x" * 1_000))
    assert len(wake.take(after=999)) == 10

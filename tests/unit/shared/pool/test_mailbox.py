"""Letters cross threads in order, many to a wake-up."""

from __future__ import annotations

import select
import threading

import pytest

from shared.pool import mailbox
from shared.pool.mailbox import Mailbox


@pytest.fixture(params=["eventfd", "socketpair"])
def box(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Mailbox[int]:
    if request.param == "socketpair":
        monkeypatch.delattr(mailbox.os, "eventfd")
    return Mailbox()


def is_readable(box: Mailbox[int]) -> bool:
    return bool(select.select([box.fileno()], [], [], 0)[0])


def test_an_empty_mailbox_is_quiet(box: Mailbox[int]) -> None:
    assert not is_readable(box)
    assert list(box.take()) == []


def test_letters_come_out_in_order_and_only_once(box: Mailbox[int]) -> None:
    for letter in range(3):
        box.put(letter)
    assert is_readable(box)
    assert list(box.take()) == [0, 1, 2]
    assert not is_readable(box)
    assert list(box.take()) == []


def test_a_letter_that_comes_while_others_are_taken_wakes_the_reader_again(
    box: Mailbox[int],
) -> None:
    box.put(1)
    taken = box.take()
    assert next(taken) == 1
    box.put(2)
    assert list(taken) == []
    assert is_readable(box)
    assert list(box.take()) == [2]


def test_waiting_ends_with_a_letter_from_another_thread(box: Mailbox[int]) -> None:
    sender = threading.Thread(target=box.put, args=(7,))
    sender.start()
    box.wait(60)
    sender.join()
    assert list(box.take()) == [7]


def test_a_closed_mailbox_drops_letters(box: Mailbox[int]) -> None:
    box.close()
    box.put(1)
    box.close()

"""Counting confirms."""

from __future__ import annotations

import pytest

from shared.errors import BrokerUnavailable
from shared.queueing.amqp.confirms import ConfirmWindow
from shared.queueing.backlog import Confirmation


async def test_a_group_is_confirmed_when_its_last_message_is() -> None:
    window, group = ConfirmWindow(), Confirmation(["a", "b", "c"])
    window.sent([[group], [group], [None], [group]], at=1.0)
    window.settle(2, multiple=True, refused=False)
    assert not group.future.done()
    window.settle(4, multiple=False, refused=False)
    await group.wait(1.0)
    assert len(window) == 1


async def test_a_refused_message_fails_its_group_alone() -> None:
    window, one, other = ConfirmWindow(), Confirmation(["a"]), Confirmation(["b"])
    window.sent([[one], [other]], at=1.0)
    window.settle(1, multiple=False, refused=True)
    window.settle(2, multiple=False, refused=False)
    with pytest.raises(BrokerUnavailable, match="refused"):
        await one.wait(1.0)
    await other.wait(1.0)


async def test_a_returned_message_fails_its_group_though_it_is_confirmed() -> None:
    window, group = ConfirmWindow(), Confirmation(["a"])
    window.sent([[group]], at=1.0)
    window.returned("a")
    window.settle(1, multiple=False, refused=False)
    with pytest.raises(BrokerUnavailable, match="no queue"):
        await group.wait(1.0)


async def test_a_message_that_carries_several_is_the_end_of_all_that_wait_for_it() -> None:
    window, one, other = ConfirmWindow(), Confirmation(["a", "b"]), Confirmation(["c"])
    window.sent([[one, one, other], [None]], at=1.0)
    window.settle(1, multiple=False, refused=False)
    await one.wait(1.0)
    await other.wait(1.0)
    again = Confirmation(["d"]), Confirmation(["e"])
    window.sent([again], at=2.0)
    window.returned("d")
    for each in again:
        with pytest.raises(BrokerUnavailable, match="no queue"):
            await each.wait(1.0)


async def test_the_age_of_the_oldest_unconfirmed_message_is_known() -> None:
    window = ConfirmWindow()
    assert window.oldest_sent_at() is None
    window.sent([[None], [None]], at=1.0)
    window.sent([[None]], at=2.0)
    assert window.oldest_sent_at() == 1.0
    window.settle(2, multiple=True, refused=False)
    assert window.oldest_sent_at() == 2.0
    window.settle(3, multiple=False, refused=False)
    assert window.oldest_sent_at() is None


async def test_a_group_took_until_its_last_confirm() -> None:
    window = ConfirmWindow()
    window.sent([[None], [None]], at=1.0)
    window.sent([[None]], at=1.5)
    window.settle(1, multiple=False, refused=False)
    assert window.completed(at=2.0) == []
    window.settle(3, multiple=True, refused=False)
    assert window.completed(at=3.0) == [2.0, 1.5]


async def test_a_lost_link_fails_who_waits_and_counts_the_rest() -> None:
    window, group = ConfirmWindow(), Confirmation(["a"])
    window.sent([[None], [group, None], [None]], at=1.0)
    assert window.abandon(BrokerUnavailable("gone")) == 3
    with pytest.raises(BrokerUnavailable, match="gone"):
        await group.wait(1.0)


async def test_a_confirm_for_a_tag_nobody_sent_changes_nothing() -> None:
    window = ConfirmWindow()
    assert window.settle(7, multiple=False, refused=False) == 0
    assert window.settle(7, multiple=True, refused=False) == 0


async def test_waiting_ends_in_time() -> None:
    with pytest.raises(BrokerUnavailable, match=r"within 0\.01 s"):
        await Confirmation(["a"]).wait(0.01)

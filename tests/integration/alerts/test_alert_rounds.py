"""Rounds of leaders over a ledger: what they keep, what they make messages of, and what a restart,
another leader or a clock that jumps does to it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.alerts.keeping import AlertRecords
from shared.alerts.state import AlertEventKind, AlertState
from shared.alerts.telling.forgetting import AlertForgetting
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.persistence.statements import transaction
from shared.settings.watching.alert_sinks import AlertSinkKind, AlertSinkSettings
from shared.settings.watching.alerts import AlertSettings

from .conftest import ON_SQLITE, WatchedLedger, told_to

SINK = AlertSinkSettings(name="ops", kind=AlertSinkKind.COMMAND, argv=("true",))
SETTINGS = told_to(SINK)
HOUR = 3_600.0


async def test_a_thousand_alerts_at_once_are_one_message(watched: WatchedLedger) -> None:
    watched.figures.values = {f"ten_{number}": 20.0 for number in range(1_000)}
    await watched.rounds(watched.leader(SETTINGS), seconds=120)
    (message,) = await watched.messages()
    assert (message.fired, message.resolved) == (1_000, 0)
    assert len(message.alerts) + message.left_out == 1_000
    assert len(message.text.splitlines()) < 60
    active = await watched.catalogue.active()
    assert len(active) == 1_000
    page = await watched.catalogue.active(after=active[99].fingerprint, limit=50)
    assert page == active[100:150]
    with pytest.raises(NotFound):
        await watched.catalogue.active(after="none")


@ON_SQLITE
async def test_what_fires_within_the_time_of_a_group_is_told_with_it(
    watched: WatchedLedger,
) -> None:
    leader = watched.leader(SETTINGS)
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(leader, seconds=15)
    watched.figures.values["ten_2"] = 20.0
    await watched.rounds(leader, seconds=30)
    (message,) = await watched.messages()
    assert message.fired == 2


@ON_SQLITE
async def test_a_restart_neither_repeats_nor_loses_a_message(watched: WatchedLedger) -> None:
    watched.figures.values = {"ten_1": 20.0}
    for _ in range(20):
        await watched.rounds(watched.leader(SETTINGS), seconds=15)
    watched.figures.values = {"ten_1": 5.0}
    for _ in range(60):
        await watched.rounds(watched.leader(SETTINGS), seconds=15)
    fired, resolved = await watched.messages()
    assert (fired.fired, resolved.resolved) == (1, 1)
    assert fired.alerts[0].fingerprint == resolved.alerts[0].fingerprint


async def test_a_leader_that_dies_within_its_round_has_changed_nothing(
    watched: WatchedLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.figures.values = {"ten_1": 20.0}

    async def die(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(AlertRecords, "waiting", die)
        with pytest.raises(asyncio.CancelledError):
            await watched.leader(SETTINGS)()
    assert await watched.catalogue.active() == []
    assert await watched.catalogue.history() == []
    await watched.rounds(watched.leader(SETTINGS), seconds=60)
    (message,) = await watched.messages()
    assert message.fired == 1


async def test_an_alert_that_this_version_cannot_read_keeps_no_other_from_being_told(
    watched: WatchedLedger,
) -> None:
    watched.figures.values = {"ten_1": 20.0}
    await watched.leader(SETTINGS)()
    async with transaction(watched.database.durable) as connection:
        await connection.execute(text("UPDATE alert SET severity = 'of another version'"))
    watched.figures.values = {"ten_2": 20.0}
    await watched.rounds(watched.leader(SETTINGS), seconds=60)
    assert [each.labels for each in await watched.catalogue.active()] == [{"tenant": "ten_2"}]
    (message,) = await watched.messages()
    assert message.fired == 2, "the first was to be told before it was strange"


async def test_two_leaders_at_once_tell_nothing_twice(watched: WatchedLedger) -> None:
    leaders = [watched.leader(SETTINGS), watched.leader(SETTINGS)]
    watched.figures.values = {"ten_1": 20.0, "ten_2": 20.0}
    for _ in range(10):
        await asyncio.gather(*(leader() for leader in leaders))
        watched.clock.advance(15)
    (message,) = await watched.messages()
    assert message.fired == 2
    assert len(await watched.catalogue.history()) == 2


@ON_SQLITE
@pytest.mark.parametrize("days", [1, -1])
@pytest.mark.parametrize("value_after", [20.0, None])
async def test_a_clock_that_jumps_neither_fires_nor_resolves_anything(
    watched: WatchedLedger, days: int, value_after: float | None
) -> None:
    leader = watched.leader(SETTINGS)
    watched.figures.values = {"fires": 20.0, "does not": 5.0}
    await watched.rounds(leader, seconds=120)
    before = await watched.catalogue.history()
    assert len(before) == 1
    watched.clock.jump(timedelta(days=days))
    # What was said of the last minutes is said of others for a while.
    watched.figures.values = {"fires": 5.0, "does not": 20.0}
    await watched.rounds(leader, seconds=240)
    watched.figures.values = {"fires": value_after, "does not": 5.0}
    await watched.rounds(leader, seconds=600)
    after = {each.id for each in await watched.catalogue.history()}
    assert after == {each.id for each in before}
    assert len(await watched.messages()) == 1


@ON_SQLITE
async def test_a_clock_that_jumps_ahead_and_back_tells_nothing_that_is_silenced(
    watched: WatchedLedger,
) -> None:
    leader, until = watched.leader(SETTINGS), watched.clock.now() + timedelta(hours=2)
    await watched.catalogue.silence({"tenant": "*"}, until=until, by="ann", why="We know.")
    watched.figures.values = {"silenced": 20.0, "does not": 5.0}
    await watched.rounds(leader, seconds=120)
    watched.clock.jump(timedelta(days=1))
    watched.figures.values = {"silenced": 20.0, "does not": 20.0}
    await watched.rounds(leader, seconds=240)
    watched.clock.jump(timedelta(days=-1))
    watched.figures.values = {"silenced": 20.0, "does not": 5.0}
    await watched.rounds(leader, seconds=900)
    assert len(await watched.catalogue.history()) == 1
    assert await watched.messages() == []


@ON_SQLITE
async def test_another_leader_goes_on_counting_where_the_clock_jumped_meanwhile(
    watched: WatchedLedger,
) -> None:
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(watched.leader(SETTINGS), seconds=60)
    watched.figures.values = {"ten_1": 5.0}
    await watched.rounds(watched.leader(SETTINGS), seconds=15)
    watched.clock.jump(timedelta(days=3))
    await watched.rounds(watched.leader(SETTINGS), seconds=15)
    (alert,) = await watched.catalogue.active()
    assert alert.state is AlertState.FIRING


async def test_people_see_what_fires_and_acknowledge_it(watched: WatchedLedger) -> None:
    leader = watched.leader(SETTINGS)
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(leader, seconds=30)
    (alert,) = await watched.catalogue.active()
    noted = await watched.catalogue.acknowledge(alert.fingerprint, by="ann")
    assert noted.acknowledged_by == "ann"
    await watched.rounds(leader, seconds=30)
    (kept,) = await watched.catalogue.active()
    assert (kept.acknowledged_by, kept.state) == ("ann", AlertState.FIRING)
    newest, oldest = await watched.catalogue.history()
    assert (newest.kind, newest.by) == (AlertEventKind.ACKNOWLEDGED, "ann")
    assert await watched.catalogue.history(after=newest.id) == [oldest]
    with pytest.raises(NotFound):
        await watched.catalogue.acknowledge("none", by="ann")
    watched.figures.values = {"ten_1": 5.0}
    await watched.rounds(leader, seconds=700)
    with pytest.raises(Conflict):
        await watched.catalogue.acknowledge(alert.fingerprint, by="ann")


@ON_SQLITE
async def test_a_silence_is_kept_until_it_is_over_or_ended(watched: WatchedLedger) -> None:
    catalogue, leader = watched.catalogue, watched.leader(SETTINGS)
    until = watched.clock.now() + timedelta(minutes=10)
    silence = await catalogue.silence({"tenant": "ten_*"}, until=until, by="ann", why="We know.")
    assert await catalogue.silences() == [silence]
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(leader, seconds=300)
    assert await watched.messages() == []
    await catalogue.end_silence(silence.id)
    await watched.rounds(leader, seconds=60)
    (message,) = await watched.messages()
    assert message.fired == 1
    with pytest.raises(NotFound):
        await catalogue.end_silence(silence.id)
    with pytest.raises(InvalidRequest, match="every alert"):
        await catalogue.silence({}, until=until, by="ann", why="")
    with pytest.raises(InvalidRequest, match="in the future"):
        await catalogue.silence({"a": "b"}, until=watched.clock.now(), by="ann", why="")


async def test_history_is_forgotten_once_its_time_is_over(watched: WatchedLedger) -> None:
    leader = watched.leader(SETTINGS)
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(leader, seconds=60)
    forget = AlertForgetting(watched.database, AlertSettings(retention_days=30), watched.clock)
    await forget()
    assert len(await watched.catalogue.history()) == 1
    watched.clock.advance(31 * 86_400)
    await forget()
    assert await watched.catalogue.history() == []
    # Nobody was told yet, and will be.
    assert len(await watched.messages()) == 1


@ON_SQLITE
async def test_without_sinks_alerts_are_kept_and_nothing_waits(watched: WatchedLedger) -> None:
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(watched.leader(AlertSettings()), seconds=60)
    assert await watched.messages() == []
    assert len(await watched.catalogue.active()) == 1

"""What was held says afterwards why, and what was not held costs nothing."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import update

from shared.breakers.fleet import reset_breaker
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote
from shared.persistence.ledger.worker_lease import Lease
from shared.persistence.message_history import read_history
from shared.persistence.statements import transaction
from shared.persistence.tables import message
from shared.views.waterfall.stretch import StretchKind
from shared.views.waterfall.waterfall import waterfall

from .parking_scene import DOWN, TENANT, ParkingScene

MORE_THAN_GO = 20
"""Eight slots take fewer, with what is on its way to them."""


async def notes_of(scene: ParkingScene, record: MessageRecord) -> list[WaitNote]:
    return (await read_history(scene.database, record.id)).waits


async def end_all_released(scene: ParkingScene) -> None:
    ended = update(message).where(message.c.released_at.is_not(None))
    async with transaction(scene.database.durable) as connection:
        await connection.execute(ended.values(state=ResponseState.COMPLETED))


async def test_what_waited_for_a_slot_says_so_and_what_went_at_once_has_nothing(
    scene: ParkingScene,
) -> None:
    people = [await scene.hold(TENANT) for _ in range(MORE_THAN_GO)]
    await scene.lead()
    at_once = {*scene.publisher.published}
    scene.clock.advance(4)
    await end_all_released(scene)
    await scene.second()
    later = {*scene.publisher.published} - at_once
    assert at_once
    assert later
    for record in people:
        if record.id in at_once:
            assert await notes_of(scene, record) == []
        elif record.id in later:
            (note,) = await notes_of(scene, record)
            assert note.cause is WaitCause.SLOTS
            assert note.until == record.accepted_at + timedelta(seconds=4)
            assert note.why.startswith("All of 8 slots are taken")


async def test_what_was_parked_says_for_which_model_and_for_how_long(scene: ParkingScene) -> None:
    for name in ("first/large", "first/tiny"):
        await scene.breakers.report(name, outcomes=DOWN)
    parked = await scene.batch()
    await scene.lead()
    scene.clock.advance(4)
    for name in ("first/large", "first/tiny"):
        await reset_breaker(scene.client, name)
    await scene.second()
    assert scene.publisher.published == [parked.id]
    history = await read_history(scene.database, parked.id)
    (told,) = [each for each in waterfall(history) if each.kind is StretchKind.PARKED]
    assert (told.start, told.end) == (0, 4)
    assert re.search("Parked: first/(large|tiny) is open", told.reason or "")


async def test_one_that_expires_while_it_is_held_says_why(scene: ParkingScene) -> None:
    for _ in range(MORE_THAN_GO):
        await scene.hold(TENANT)
    await scene.lead()
    await scene.second()
    hurried = await scene.hold(TENANT, deadline=scene.clock.now() + timedelta(seconds=5))
    await scene.second()
    scene.clock.advance(6)
    await scene.term.each_second()
    assert [each.cause for each in await notes_of(scene, hurried)] == [WaitCause.SLOTS]
    assert hurried.id not in scene.publisher.published


async def test_a_turn_that_found_no_model_or_broke_off_says_so(scene: ParkingScene) -> None:
    away, broken = await scene.batch(), await scene.hold(TENANT)
    await scene.lead()
    claimed = await scene.claims.flush([away.id, broken.id])
    first, second = (each for each in claimed if isinstance(each, MessageRecord))
    await scene.claims.put_back(first, units=0.0)
    until = scene.clock.now() + timedelta(seconds=2)
    lease = Lease(second.id, second.attempt)
    await scene.claims.release(lease, not_before=until, why="LedgerUnavailable")
    (note,) = await notes_of(scene, away)
    assert note.cause is WaitCause.MODELS_AWAY
    (note,) = await notes_of(scene, broken)
    assert (note.cause, note.until) == (WaitCause.FAULT, until)
    assert note.why == "Its turn broke off: LedgerUnavailable."

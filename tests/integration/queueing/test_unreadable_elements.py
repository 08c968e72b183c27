"""One element that cannot be taken apart costs one element: no neighbour, no reader, no memory."""

from __future__ import annotations

import asyncio
import gzip
import json

from shared.messages.dead_letter import DeadReason
from tests.integration.queueing.conftest import until
from tests.integration.queueing.intake_door import UNKNOWN, IntakeDoor
from tests.integration.queueing.queue_contents import put
from tests.integration.queueing.unreadable import put_swollen, put_unreadable

GOOD = json.dumps({"input": "Hello"})
WAKE_UP = '[[],{"message_id":"%s","lane":"standard","deadline":""},{}]'


async def test_the_door_buries_each_once_and_takes_the_innocent_at_once(door: IntakeDoor) -> None:
    reasons = await asyncio.to_thread(put_unreadable, door.broker, "intake")
    await asyncio.to_thread(put, door.broker, "intake", GOOD, headers=door.authorization)
    await until(door.accepted, 1)
    await until(door.dead, len(reasons))
    letters = await door.dead()
    assert [letter.reason for letter in letters] == reasons
    assert {letter.queue for letter in letters} == {"intake"}


async def test_what_swells_is_too_large_and_what_is_packed_well_is_taken(door: IntakeDoor) -> None:
    sent = await asyncio.to_thread(put_swollen, door.broker, "intake", megabytes=8)
    packed = gzip.compress(GOOD.encode())
    headers = {**door.authorization, "compression": "gzip"}
    await asyncio.to_thread(put, door.broker, "intake", packed, headers=headers)
    await until(door.accepted, 1)
    await until(door.dead, 1)
    [letter] = await door.dead()
    assert letter.reason is DeadReason.TOO_LARGE
    assert letter.body is not None
    assert len(letter.body) == sent
    assert json.loads(letter.headers or "")["compression"] == "zlib"


async def test_the_reader_of_dead_letters_writes_each_once_and_goes_on(door: IntakeDoor) -> None:
    reasons = await asyncio.to_thread(put_unreadable, door.broker, "dead")
    await until(door.dead, len(reasons))
    await asyncio.to_thread(put, door.broker, "dead", "last", message_id="last")
    await until(door.dead, len(reasons) + 1)
    letters = await door.dead()
    assert len(letters) == len(reasons) + 1
    assert "last" in {letter.message_id for letter in letters}


async def test_a_dead_wake_up_for_no_message_is_a_letter_of_its_own(door: IntakeDoor) -> None:
    task = {"task": "forebay.answer", "kwargsrepr": "{...}"}
    [unknown] = UNKNOWN
    forged = [
        (unknown, WAKE_UP % unknown),
        ("resp_with a \0", WAKE_UP % "resp_with a"),
        (5, WAKE_UP % 5),
        ("resp_known", GOOD),  # by its headers alone it is a wake-up
    ]
    for own_id, body in forged:
        await asyncio.to_thread(put, door.broker, "dead", body, headers={**task, "id": own_id})
    await until(door.dead, len(forged))
    assert [message_id for message_id, *_ in door.failed] == [unknown]


async def test_nobody_takes_the_place_of_a_letter_by_naming_its_id(door: IntakeDoor) -> None:
    headers = {"x-forebay-letter": f"dead_{'0' * 32}", "x-forebay-reason": "invalid"}
    for body in ("the letter", "another", "another"):
        await asyncio.to_thread(put, door.broker, "dead", body, headers=headers)
    await until(door.dead, 2)
    await asyncio.to_thread(put, door.broker, "dead", "last")
    await until(door.dead, 3)
    assert {letter.body for letter in await door.dead()} == {b"the letter", b"another", b"last"}

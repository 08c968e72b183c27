"""What is bad is dead-lettered with its reason, and the door goes on."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.messages.dead_letter import DeadReason
from tests.integration.queueing.conftest import until
from tests.integration.queueing.intake_door import IntakeDoor
from tests.integration.queueing.queue_contents import push_raw, put

GOOD = {"input": "Hello"}
EMBED: dict[str, Any] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
TASK = {"task": "forebay.intake", "id": "5e0c-task", "lang": "py"}


@dataclass(frozen=True)
class Poison:
    """A bad message, and what must become of it."""

    body: str
    reason: DeadReason
    says: str
    headers: dict[str, Any] = field(default_factory=dict)
    authorized: bool = True


POISONS = {
    "not JSON": Poison("{'input': 1}", DeadReason.MALFORMED, "not valid JSON"),
    "no JSON object": Poison("[1, 2]", DeadReason.INVALID, "Expected `object`"),
    "a wrong schema": Poison('{"input": 5}', DeadReason.INVALID, "'input'"),
    "an unknown field": Poison('{"input": "a", "foo": 1}', DeadReason.INVALID, "'foo'"),
    "a stream": Poison('{"input": "a", "stream": true}', DeadReason.INVALID, "'stream'"),
    "a deadline that passed": Poison(
        '{"input": "a", "deadline": "2020-01-01T00:00:00Z"}', DeadReason.INVALID, "has passed"
    ),
    "ten megabytes": Poison(
        json.dumps({"input": "x" * 10_000_000}), DeadReason.TOO_LARGE, "the limit is 1048576"
    ),
    "no key": Poison(json.dumps(GOOD), DeadReason.UNAUTHENTICATED, "No API key", authorized=False),
    "a wrong key": Poison(
        json.dumps(GOOD),
        DeadReason.UNAUTHENTICATED,
        "unknown, expired or revoked",
        headers={"Authorization": "Bearer fb_wrong"},
        authorized=False,
    ),
    "a task without id": Poison(
        json.dumps([[], GOOD, EMBED]), DeadReason.MALFORMED, "'id'", {"task": "forebay.intake"}
    ),
    "a task whose body is no triple": Poison(
        json.dumps(GOOD), DeadReason.MALFORMED, "not a JSON triple", TASK
    ),
    "a task of another schema": Poison(
        json.dumps([[], {"prompt": "a"}, EMBED]), DeadReason.INVALID, "'prompt'", TASK
    ),
    "a task with positional arguments": Poison(
        json.dumps([["Hello"], {}, EMBED]), DeadReason.INVALID, "keyword arguments", TASK
    ),
    "an unknown task": Poison(
        json.dumps([[], GOOD, EMBED]),
        DeadReason.UNKNOWN_TASK,
        "'forebay.intake'",
        {**TASK, "task": "os.system"},
    ),
}
RAW_ELEMENTS = {
    "bytes that are no text": b"\xff\xfe\x00",
    "no JSON": b"hello",
    "no envelope": b'{"input": "Hello"}',
    "a list": b"[1]",
    "a body that is not base64": b'{"body":"abcde","properties":{"body_encoding":"base64"}}',
    "an unknown encoding": b'{"body":"a","properties":{"body_encoding":"rot13"}}',
    "properties that are no object": b'{"body":"a","properties":7}',
}


async def test_every_kind_of_poison_is_a_dead_letter_with_its_reason(door: IntakeDoor) -> None:
    for number, poison in enumerate(POISONS.values()):
        headers = {**poison.headers, **(door.authorization if poison.authorized else {})}
        await asyncio.to_thread(
            put, door.broker, "intake", poison.body, headers=headers, message_id=f"p{number}"
        )
    await until(door.dead, len(POISONS))
    letters = {letter.message_id: letter for letter in await door.dead()}
    for number, (name, poison) in enumerate(POISONS.items()):
        letter = letters[f"p{number}"]
        assert (letter.reason, letter.queue) == (poison.reason, "intake"), name
        assert poison.says in letter.detail, name
    assert not any(door.key in (letter.headers or "") for letter in letters.values())
    assert max(len(letter.body or b"") for letter in letters.values()) == 65_536
    await _a_good_message_still_gets_in(door)


async def test_what_is_no_message_at_all_is_a_dead_letter_on_redis(door: IntakeDoor) -> None:
    if not door.broker.is_redis:
        pytest.skip("RabbitMQ's protocol lets only messages in")
    for element in RAW_ELEMENTS.values():
        await asyncio.to_thread(push_raw, door.broker, "intake", element)
    await until(door.dead, len(RAW_ELEMENTS))
    letters = await door.dead()
    assert {letter.body for letter in letters} == set(RAW_ELEMENTS.values())
    assert {letter.reason for letter in letters} == {DeadReason.MALFORMED}
    await _a_good_message_still_gets_in(door)


async def _a_good_message_still_gets_in(door: IntakeDoor) -> None:
    await asyncio.to_thread(
        put, door.broker, "intake", json.dumps(GOOD), headers=door.authorization
    )
    await until(door.accepted, 1)

"""A RabbitMQ whose frames are as small as it lets them be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from shared.messages.dead_letter import DeadReason
from tests.integration.queueing.conftest import broker_at, until
from tests.integration.queueing.intake_door import open_intake_door
from tests.integration.queueing.queue_contents import put
from tests.servers.rabbitmq import RabbitServer


@pytest.fixture
def small_frames() -> Iterator[str]:
    with RabbitServer(configuration="frame_max = 8192\n") as server:
        yield server.url


async def test_a_poison_message_is_a_letter_though_its_headers_do_not_fit_again(
    small_frames: str, redis_url: str, migrated_sqlite_url: str
) -> None:
    broker = broker_at(small_frames)
    async with open_intake_door(
        broker, redis_url=redis_url, ledger_url=migrated_sqlite_url
    ) as door:
        # As bytes they fit, and as the text that a letter holds them in they have 24 KiB.
        headers = {"strange": "\x01" * 4_000}
        await asyncio.to_thread(put, broker, "intake", b"no message", headers=headers)
        await until(door.dead, 1)
        [letter] = await door.dead()
    assert (letter.reason, letter.queue) == (DeadReason.MALFORMED, "intake")
    assert letter.body == b"no message"
    assert "bytes" in json.loads(letter.headers or "")["left_out"]

"""The messages in docs/producers.md travel as printed."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.messages.lane import Lane
from tests.integration.queueing.conftest import until
from tests.integration.queueing.intake_door import IntakeDoor
from tests.integration.queueing.queue_contents import push_raw, put

PAGE = (Path(__file__).parents[3] / "docs/producers.md").read_text()


async def test_the_message_of_the_page_is_accepted(door: IntakeDoor) -> None:
    message = _sample("message")
    deadline = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    message["deadline"] = deadline.isoformat()
    body = json.dumps(message)
    await asyncio.to_thread(put, door.broker, "intake", body, headers=door.authorization)
    await until(door.accepted, 1)
    [record] = await door.accepted()
    assert (record.lane, record.user_id) == (Lane.BATCH, "user-4711")
    assert record.idempotency_key == "order-A-17-summary"
    assert record.deadline == deadline


async def test_the_envelope_of_the_page_is_accepted_on_redis(door: IntakeDoor) -> None:
    if not door.broker.is_redis:
        pytest.skip("RabbitMQ knows no envelopes")
    envelope = _sample("envelope")
    envelope["headers"] = door.authorization
    await asyncio.to_thread(push_raw, door.broker, "intake", json.dumps(envelope).encode())
    await until(door.accepted, 1)
    [record] = await door.accepted()
    assert record.idempotency_key == "intake:order-A-17-summary"
    assert (record.reply_to, record.reply_correlation) == ("reply.mine", "order-A-17")


def _sample(name: str) -> dict[str, Any]:
    found = re.search(rf"<!-- tested: {name} -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"docs/producers.md has no sample '{name}'"
    sample: dict[str, Any] = json.loads(found[1])
    return sample

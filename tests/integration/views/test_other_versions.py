"""What another version wrote, and this one cannot read, is shown and refused as such."""

from __future__ import annotations

import pytest

from shared.acts.replaying import letter_replays
from shared.clock import ManualClock, SystemClock
from shared.dispatch.flows import FlowBoard
from shared.errors import Conflict
from shared.persistence.tables import message
from shared.redis.client import open_redis
from shared.redis.guarded import GuardedRedis
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings, RedisSettings
from shared.settings.turn.context import ContextSettings
from shared.views.one_message import MessageViews
from shared.views.shown_handoff import HandoffViews

from .shelf import ViewedLedger


@pytest.fixture
async def strange(viewed: ViewedLedger) -> str:
    """A message that waits for a person, and has a dead letter."""
    row = viewed.message(0, body='{"shape":9}', report='{"cache":9}')
    await viewed.put(message, row)
    await viewed.handoffs(1, message_id=row["id"])
    await viewed.letters(1, message_id=row["id"], tenant_id="ten_1")
    return str(row["id"])


async def test_a_message_is_shown_but_for_its_words(
    viewed: ViewedLedger, strange: str, redis_url: str
) -> None:
    client = open_redis(RedisSettings(url=ServerUrl(redis_url)))
    guarded = GuardedRedis(client, SystemClock())
    told = await MessageViews(viewed.database, FlowBoard(guarded)).show(strange)
    assert (told.id, told.said, told.asked_model) == (strange, [], None)
    await guarded.close()
    await client.aclose()


async def test_a_person_is_told_why_there_is_nothing_to_answer(
    viewed: ViewedLedger, strange: str, clock: ManualClock
) -> None:
    views = HandoffViews(viewed.database, ContextSettings(), clock)
    with pytest.raises(Conflict, match="hand_0000"):
        await views.show("hand_0000")


async def test_a_letter_is_not_replayed_and_says_what_to_do(
    viewed: ViewedLedger, strange: str, redis_url: str
) -> None:
    url = ServerUrl(redis_url)
    settings = Settings(broker=BrokerSettings(url=url), redis=RedisSettings(url=url))
    async with letter_replays(viewed.database, settings) as replays:
        with pytest.raises(Conflict, match="forebay dead discard"):
            await replays.replay("dead_0000", key=None)

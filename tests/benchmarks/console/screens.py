"""How soon each screen of the console has its data, on a full ledger.

200,000 messages on each database; with SCALE=full 10,000,000 on Postgres and 1,000,000 on SQLite.
Each is asked for at many places of the ledger; a figure is the 95th percentile of them.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Any, Final

from ingress.console.surface import open_console_database
from shared.clock import SystemClock
from shared.dispatch.flows import FlowBoard
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.redis.client import open_redis
from shared.redis.guarded import GuardedRedis
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings, RedisSettings
from shared.views.batch_pages import BatchPages
from shared.views.collection_pages import CollectionPages
from shared.views.conversation_messages import ConversationMessages
from shared.views.inbox import Inbox
from shared.views.letter_pages import LetterFilter, LetterPages
from shared.views.message_pages import MessageFilter, MessagePages
from shared.views.one_message import MessageViews
from tests.benchmarks.console.filling import BATCHES, COLLECTIONS, RARE_TENANT, fill_ledger
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Progress, Row

MESSAGES: Final = {
    "small": {Ledger.POSTGRES: 200_000, Ledger.SQLITE: 200_000},
    "full": {Ledger.POSTGRES: 10_000_000, Ledger.SQLITE: 1_000_000},
}
LIMIT_MS: Final = {Ledger.POSTGRES: 200.0, Ledger.SQLITE: 400.0}
TURNS: Final = 60
_PAGE: Final = 50
_LARGE_PAGE: Final = 25
_DAYS: Final = 28
_ALL: Final = MessageFilter()

Look = Callable[[int], Awaitable[object]]


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """The 95th percentile of what each screen asks, on both databases."""
    scale = "full" if os.environ.get("SCALE") == "full" else "small"
    for ledger, messages in MESSAGES[scale].items():
        say(f"the console's screens on {messages:,} messages on {ledger}: filling")
        ground = stage.ground(Broker.REDIS, ledger)
        for screen, figure in asyncio.run(_figures(ground, messages)).items():
            yield Row(
                what=f"{screen}, p95 at {messages:,} messages",
                on=ledger,
                unit="ms",
                ours=figure,
                limit=LIMIT_MS[ledger],
            )


async def _figures(ground: Ground, messages: int) -> dict[str, float]:
    clock, url = SystemClock(), ServerUrl(ground.ledger_url)
    now = clock.now()
    await fill_ledger(ground.ledger_url, messages)
    database = open_console_database(LedgerSettings(url=url))
    redis = open_redis(RedisSettings(url=ServerUrl(ground.redis_url)))
    guarded = GuardedRedis(redis, clock)
    try:
        views = MessageViews(database, FlowBoard(guarded))
        looks = _messages(database, now) | await _one(database, views, now) | _others(database)
        return {name: await _p95(look) for name, look in looks.items()}
    finally:
        await guarded.close()
        await redis.aclose()
        await database.close()


async def _p95(look: Look) -> float:
    taken = []
    for turn in range(TURNS + 1):
        begun = time.perf_counter()
        await look(turn)
        taken.append((time.perf_counter() - begun) * 1000)
    return quantiles(taken[1:], n=20)[-1]  # the first connects


def _messages(database: Database, now: datetime) -> dict[str, Look]:
    messages, talks = MessagePages(database), ConversationMessages(database)

    def then(turn: int) -> datetime:
        return now - timedelta(days=turn * _DAYS / TURNS)

    async def talk(turn: int) -> object:
        name = f"conv_{2 * turn}"
        (owner, *_) = await talks.tenants(name)
        return await talks.page(owner, name, limit=_PAGE)

    def page(**wanted: Any) -> Look:
        return lambda turn: messages.page(MessageFilter(**wanted, until=then(turn)), limit=_PAGE)

    return {
        "messages, the latest": lambda _: messages.page(_ALL, limit=_PAGE),
        "messages, further back": page(),
        "messages of a tenant": page(tenant_id="ten_7"),
        "messages of a tenant that has few": page(tenant_id=RARE_TENANT),
        "messages that failed": page(state=ResponseState.FAILED),
        "messages of a conversation": talk,
    }


async def _one(database: Database, views: MessageViews, now: datetime) -> dict[str, Look]:
    some: list[str] = []
    for turn in range(TURNS + 1):
        until = MessageFilter(until=now - timedelta(days=turn * _DAYS / TURNS))
        some += [row.id for row in (await MessagePages(database).page(until, limit=1)).rows]
    return {"one message": lambda turn: views.show(some[turn])}


def _others(database: Database) -> dict[str, Look]:
    letters, inbox = LetterPages(database), Inbox(database)
    batches, collections = BatchPages(database, SystemClock()), CollectionPages(database)
    large_batch, large_collection = f"batch_{1_000 + BATCHES}", f"vs_{1_000 + COLLECTIONS}"
    rare, every = LetterFilter(tenant_id="ten_none"), LetterFilter(is_everything=True)
    return {
        "dead letters": lambda _: letters.page(LetterFilter(), limit=_PAGE),
        "dead letters of a tenant that has none": lambda _: letters.page(rare, limit=_PAGE),
        "dead letters, closed ones too": lambda _: letters.page(every, limit=_PAGE),
        "dead letters by reason": lambda _: letters.counts(),
        "handoffs": lambda _: inbox.page(limit=_PAGE),
        "handoffs by reason": lambda _: inbox.counts(),
        "batches, five of them large": lambda _: batches.page(limit=_LARGE_PAGE),
        "one batch of 50,000": lambda _: batches.one(large_batch),
        "collections": lambda _: collections.page(limit=_LARGE_PAGE),
        "one collection of 50,000": lambda _: collections.one(large_collection),
    }

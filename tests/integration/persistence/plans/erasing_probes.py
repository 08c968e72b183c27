"""The statements that make things go, and how to run them on a full ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import msgspec
from redis.asyncio import Redis

from shared.answer_cache.answer_cache import AnswerCache, Quest
from shared.answer_cache.stored_answer import CachedAnswer, CachePlace, CacheTicket
from shared.clock import Clock, SystemClock
from shared.erasing.eraser import Eraser
from shared.erasing.erasures import Erasure, Erasures
from shared.erasing.pages import Pages
from shared.erasing.retention import Retention
from shared.erasing.tables import ErasureStage, ErasureSubject
from shared.erasing.traces import RedisTraces
from shared.erasing.unstored import UnstoredMessages
from shared.persistence.engine import Database
from shared.replies.reply_stream import ReplyStream
from shared.reservations.reservations import Reservations
from shared.settings.servers import LedgerSettings


@dataclass(frozen=True)
class FullDesk:
    """What the statements of erasing are run with."""

    database: Database
    settings: LedgerSettings
    clock: Clock
    redis: Redis

    @cached_property
    def erasures(self) -> Erasures:
        return Erasures(self.database, self.clock)

    @cached_property
    def eraser(self) -> Eraser:
        replies = ReplyStream(self.redis, ttl_seconds=60)
        reservations = Reservations(self.redis, self.clock)
        traces = RedisTraces(self.redis, self.database)
        return Eraser(self.database, self.erasures, traces, replies, reservations, self.clock)

    @cached_property
    def unstored(self) -> UnstoredMessages:
        replies = ReplyStream(self.redis, ttl_seconds=60)
        return UnstoredMessages(self.database, replies, self.settings, self.clock)

    @cached_property
    def pages(self) -> Pages:
        return Pages(self.database)

    def erasure(self, subject: ErasureSubject, name: str) -> Erasure:
        now = self.clock.now()
        return Erasure(
            id="erasure_due7",
            tenant_id="ten_1",
            subject=subject,
            name=name,
            created_at=now,
            due_at=now,
            place="resp_e",
        )

    @property
    def of_user(self) -> Erasure:
        return self.erasure(ErasureSubject.USER, "ann")


async def _begin(desk: FullDesk) -> object:
    first = await desk.erasures.begin("ten_1", ErasureSubject.USER, "eve")
    return await desk.erasures.begin("ten_1", ErasureSubject.USER, "eve") == first


async def _steps(desk: FullDesk) -> object:
    erasure = desk.erasure(ErasureSubject.CONVERSATION, "conv_resp_e1234")
    await desk.eraser.step(erasure)
    for stage in ErasureStage:
        await desk.eraser.step(msgspec.structs.replace(erasure, stage=stage, place=""))
    return None


async def _user_step(desk: FullDesk) -> object:
    return await desk.eraser.step(msgspec.structs.replace(desk.of_user, place="resp_g1"))


async def _answers(desk: FullDesk) -> object:
    cache = AnswerCache(
        desk.redis,
        SystemClock(),
        timeout_seconds=1,
        ttl_seconds=60,
        entries_per_tenant=999,
        flight_lease_seconds=1,
    )
    for n in range(32):
        place = CachePlace("ten_1", f"{n:032x}")
        found = await cache.look_up(Quest(place=place))
        assert found is not None
        answer = CachedAnswer(
            text="", model="", answered_by="", response_id=f"resp_e{n + 300}" if n else ""
        )
        await cache.store(CacheTicket(place, found.generation), answer)
    await cache.close()
    assert await RedisTraces(desk.redis, desk.database).forget_answers("ten_1") == 1
    return None


async def _messages(desk: FullDesk) -> object:
    now = desk.clock.now()
    of_conversation = desk.erasure(ErasureSubject.CONVERSATION, "conv_resp_q8")
    await desk.pages.messages(of_conversation, now=now)
    return await desk.pages.look(of_conversation, now=now)


ErasingProbe = Callable[[FullDesk], Awaitable[object]]

ERASING_PROBES: Final[dict[str, ErasingProbe]] = {
    "Erasures.begin": _begin,
    "Erasures.find": lambda desk: desk.erasures.find("erasure_7", tenant_id="ten_1"),
    "Erasures.due": lambda desk: desk.erasures.due(),
    "Erasures.forget_old": lambda desk: desk.erasures.forget_old(),
    "Eraser.step": _steps,
    "Eraser.step of a user": _user_step,
    "Pages.messages": _messages,
    "Pages.bookings": lambda desk: desk.pages.bookings(desk.of_user),
    "Pages.letters": lambda desk: desk.pages.letters(desk.of_user),
    "RedisTraces.forget_answers": _answers,
    "Retention.forget_old": lambda desk: Retention(
        desk.database, desk.settings, desk.clock
    ).forget_old(),
    "UnstoredMessages.forget": lambda desk: desk.unstored.forget(),
}

PARTS_OF_ERASING: Final = {
    "BatchLines.forget": "Retention.forget_old",
    "GroupCancelling.cancel": "Eraser.step",
    "Erasures.advance": "Eraser.step",
    "Pages.look": "Pages.messages",
    "RedisTraces.forget_summaries": "Eraser.step",
    "Tombstones.lay": "Eraser.step",
    "Tombstones.clear_beside": "Eraser.step",
}
"""Methods that are a part of another's work."""

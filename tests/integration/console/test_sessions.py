"""A session begins with a key and ends with it, with its time, or when nobody is there."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
import pytest
from sqlalchemy import select

from shared.clock import ManualClock
from shared.errors import Forbidden
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database, open_database
from shared.persistence.tenants import TenantRepository
from shared.sessions.console_sessions import ConsoleSessions
from shared.sessions.tables import console_session
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.settings.watching.console import ConsoleSettings
from tests.integration.console.conftest import LogIn, MakeKey
from tests.integration.ingress.running_door import RunningDoor


async def test_the_cookie_is_for_no_script_and_no_other_site(
    door: RunningDoor, make_key: MakeKey, stranger: aiohttp.ClientSession
) -> None:
    sent = {"key": await make_key(KeyScope.OPERATOR)}
    async with stranger.post("/console/api/session", json=sent) as answer:
        plain = answer.headers["set-cookie"]
        assert (await answer.json())["user"]["role"] == "operator"
        assert answer.headers["cache-control"] == "no-store"
    assert {"HttpOnly", "SameSite=Strict"} <= {part.strip() for part in plain.split(";")}
    assert "Secure" not in plain
    behind_tls = {"X-Forwarded-Proto": "https"}
    async with stranger.post("/console/api/session", json=sent, headers=behind_tls) as answer:
        assert answer.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"key": "fb_" + "x" * 43}, 401),
        ({"key": "nothing"}, 401),
        ({"key": ""}, 401),
        ({}, 400),
        ({"key": 1}, 400),
        ({"key": "fb_x", "more": 1}, 400),
    ],
)
async def test_what_is_no_key_begins_nothing(
    stranger: aiohttp.ClientSession, body: dict[str, object], status: int
) -> None:
    async with stranger.post("/console/api/session", json=body) as answer:
        assert answer.status == status
        assert "set-cookie" not in answer.headers


async def test_another_page_logs_nobody_in(
    stranger: aiohttp.ClientSession, make_key: MakeKey
) -> None:
    sent, elsewhere = {"key": await make_key()}, {"Origin": "https://elsewhere.example"}
    async with stranger.post("/console/api/session", json=sent, headers=elsewhere) as answer:
        assert answer.status == 403
    form = aiohttp.FormData(sent)
    async with stranger.post("/console/api/session", data=form) as answer:
        assert answer.status == 415


async def test_a_producer_opens_no_console_and_is_told_what_does(
    stranger: aiohttp.ClientSession, make_key: MakeKey
) -> None:
    sent = {"key": await make_key(KeyScope.PRODUCER)}
    async with stranger.post("/console/api/session", json=sent) as answer:
        assert answer.status == 403
        assert "--scope reader" in (await answer.json())["detail"]


async def test_who_logs_out_is_out_with_every_copy_of_the_cookie(
    door: RunningDoor, log_in: LogIn
) -> None:
    session = await log_in()
    cookies = {each.key: each.value for each in session.cookie_jar}
    async with session.delete("/console/api/session") as answer:
        assert answer.status == 204
    async with (
        aiohttp.ClientSession(door.url, cookies=cookies) as copy,
        copy.get("/console/api/session") as answer,
    ):
        assert answer.status == 204, "nobody is logged in, which is no fault"


async def test_it_ends_when_nobody_is_there_and_after_its_longest(migrated_ledger_url: str) -> None:
    database = open_database(LedgerSettings(url=ServerUrl(migrated_ledger_url)))
    clock, kept = ManualClock(), ConsoleSettings(idle_seconds=600, longest_seconds=1_500)
    try:
        sessions, tenants = (
            ConsoleSessions(database, kept, clock),
            TenantRepository(database, clock),
        )
        made = await tenants.create_key(await tenants.create("acme"), scope=KeyScope.READER)
        begun = await sessions.begin(made.key)
        assert begun is not None
        assert await _digests(database) != [begun.token], "the token itself is nowhere"
        left = kept.longest_seconds
        while left > kept.idle_seconds:
            assert await sessions.user(begun.token) == begun.user
            clock.advance(kept.idle_seconds - 60)
            left -= kept.idle_seconds - 60
        clock.advance(left)
        assert await sessions.user(begun.token) is None, "however much it was used"
        again = await sessions.begin(made.key)
        assert again is not None
        assert len(await _digests(database)) == 1, "what is over is gone"
        clock.advance(kept.idle_seconds)
        assert await sessions.user(again.token) is None, "nobody was there"
    finally:
        await database.close()


async def test_a_clock_that_was_ahead_begins_none_that_lasts_until_then(settings: Settings) -> None:
    database, clock = open_database(settings.ledger), ManualClock()
    try:
        sessions = ConsoleSessions(database, ConsoleSettings(), clock)
        tenants = TenantRepository(database, clock)
        made = await tenants.create_key(await tenants.create("acme"), scope=KeyScope.READER)
        clock.jump(timedelta(days=400))
        begun = await sessions.begin(made.key)
        assert begun is not None
        clock.jump(timedelta(days=-400))
        assert await sessions.user(begun.token) is None
        assert await sessions.begin(made.key) is not None
        assert len(await _digests(database)) == 1, "what is over is gone"
    finally:
        await database.close()


async def test_it_ends_with_its_key(settings: Settings) -> None:
    database, clock = open_database(settings.ledger), ManualClock()
    try:
        sessions = ConsoleSessions(database, ConsoleSettings(), clock)
        tenants = TenantRepository(database, clock)
        owner = await tenants.create("acme")
        made = await tenants.create_key(
            owner, scope=KeyScope.ADMIN, expires_at=clock.now() + timedelta(minutes=30)
        )
        begun = await sessions.begin(made.key)
        assert begun is not None
        clock.advance(1_800)
        assert await sessions.user(begun.token) is None, "the key has expired"
        other = await tenants.create_key(owner, scope=KeyScope.ADMIN)
        begun = await sessions.begin(other.key)
        assert begun is not None
        await tenants.revoke_key(other.record.id)
        assert await sessions.user(begun.token) is None, "the key is revoked"
        assert await sessions.begin(other.key) is None
        producer = await tenants.create_key(owner, scope=KeyScope.PRODUCER)
        with pytest.raises(Forbidden):
            await sessions.begin(producer.key)
    finally:
        await database.close()


async def _digests(database: Database) -> list[str]:
    async with database.durable.connect() as connection:
        return list((await connection.scalars(select(console_session.c.digest))).all())

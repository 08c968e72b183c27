"""Facts from a real HTTP server, well behaved and not."""

from __future__ import annotations

import datetime
import gzip
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from shared.messages.facts import DateFact, MoneyFact, NumberFact, TextFact
from shared.settings.secret import Secret, ServerUrl
from shared.settings.turn.fact_field import FactField, FactType
from shared.settings.turn.fact_source import FactSourceKind, FactSourceSettings, HttpMethod
from tests.integration.facts.shop import Answer, Shop, never, redirects, replies, says
from workers.fact_sources.http_source import HttpSource, open_fact_session
from workers.fact_sources.source import FactsUnavailable


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with Shop() as started:
        yield started


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_fact_session() as opened:
        yield opened


def source(shop: Shop, session: aiohttp.ClientSession, path: str = "", **more: Any) -> HttpSource:
    path = path or "/users/{user_id}/account"
    settings = FactSourceSettings(
        name="shop",
        kind=FactSourceKind.HTTP,
        url=ServerUrl(f"{shop.url}{path}"),
        **{"timeout_seconds": 60.0, **more},
    )
    return HttpSource(settings, session)


async def test_plain_values_are_facts_of_the_type_they_look_like(
    shop: Shop, session: aiohttp.ClientSession
) -> None:
    shop.answer = says(
        '{"balance": 47.10, "currency": "USD", "orders": 3, "rate": 1.5, "due": "2026-12-01",'
        ' "status": "shipped", "is_new": true, "items": [1], "note": null}'
    )
    facts = await source(shop, session).look_up({"user_id": "ada"})
    assert facts == {
        "balance": MoneyFact(value=Decimal("47.10"), currency="USD"),
        "currency": TextFact(value="USD"),
        "orders": NumberFact(value=Decimal(3)),
        "rate": NumberFact(value=Decimal("1.5")),
        "due": DateFact(value=datetime.date(2026, 12, 1)),
        "status": TextFact(value="shipped"),
    }


async def test_facts_are_pointed_at_and_typed_by_the_settings(
    shop: Shop, session: aiohttp.ClientSession
) -> None:
    shop.answer = replies([{"a/b": {"cents": "47.15"}}])
    money = FactField(type=FactType.MONEY, pointer="/0/a~1b/cents", words=("balance", "credit"))
    gone = FactField(type=FactType.DATE, pointer="/1/due")
    facts = await source(shop, session, facts={"sum": money, "due": gone}).look_up({"user_id": "a"})
    assert facts == {"sum": MoneyFact(value=Decimal("47.15"), words=["balance", "credit"])}


async def test_parameters_are_escaped_wherever_they_stand(
    shop: Shop, session: aiohttp.ClientSession
) -> None:
    shop.knows(orders=1)
    hostile = 'a/../b?x=1#y" z%2e@evil.test'
    body = '{"who": ["{user_id}"], "limit": 1}'
    asked = source(
        shop,
        session,
        "/of/{user_id}?who={user_id}",
        method=HttpMethod.POST,
        body=body,
        api_key=Secret("key-1"),
    )
    await asked.look_up({"user_id": hostile})
    escaped = "a%2F..%2Fb%3Fx%3D1%23y%22%20z%252e%40evil.test"
    assert shop.paths[-1] == f"/of/{escaped}?who={escaped}"
    assert shop.bodies[-1] == '{"who": ["a/../b?x=1#y\\" z%2e@evil.test"], "limit": 1}'
    assert shop.keys[-1] == "Bearer key-1"


@pytest.mark.parametrize("user", [".", ".."])
async def test_a_parameter_cannot_climb_out_of_its_path(
    shop: Shop, session: aiohttp.ClientSession, user: str
) -> None:
    asked = len(shop.paths)
    with pytest.raises(FactsUnavailable, match="another path"):
        await source(shop, session).look_up({"user_id": user})
    assert len(shop.paths) == asked


@pytest.mark.parametrize("status", [204, 404])
async def test_somebody_unknown_has_no_facts(
    shop: Shop, session: aiohttp.ClientSession, status: int
) -> None:
    async def nothing(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    shop.answer = nothing
    assert await source(shop, session).look_up({"user_id": "nobody"}) == {}


async def _packed(_: web.Request) -> web.StreamResponse:
    return web.Response(body=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (replies({}, 500), "status 500"),
        (replies({}, 401), "status 401"),
        (redirects("http://127.0.0.1:1/"), "status 302"),
        (never, "did not answer within 0.3 s"),
        (says("<html>"), "no JSON"),
        (says(""), "no JSON"),
        (says("[" * 100_000), "more than 65536 bytes"),
        (says("[" * 60_000), "no JSON"),
        (replies([1]), "no object"),
        (says('{"balance": "' + "x" * 70_000 + '"}'), "more than 65536 bytes"),
        (_packed, "no JSON"),
    ],
)
async def test_a_server_that_misbehaves_is_unavailable_and_says_why(
    shop: Shop, session: aiohttp.ClientSession, answer: Answer, said: str
) -> None:
    shop.answer = answer
    asked = source(shop, session, timeout_seconds=0.3 if answer is never else 60.0)
    with pytest.raises(FactsUnavailable, match=said):
        await asked.look_up({"user_id": "ada"})


@pytest.mark.parametrize("value", ["many", True, [1], "1e99", "NaN"])
async def test_a_value_of_another_type_is_named_and_not_told(
    shop: Shop, session: aiohttp.ClientSession, value: object
) -> None:
    shop.knows(balance=value)
    asked = source(shop, session, facts={"balance": FactField(type=FactType.MONEY)})
    with pytest.raises(FactsUnavailable, match="which is no money") as found:
        await asked.look_up({"user_id": "ada"})
    assert str(value) not in found.value.message


async def test_nobody_there_is_unavailable(shop: Shop, session: aiohttp.ClientSession) -> None:
    settings = FactSourceSettings(
        name="gone", kind=FactSourceKind.HTTP, url=ServerUrl("http://127.0.0.1:1/{user_id}")
    )
    gone = HttpSource(settings, session)
    with pytest.raises(FactsUnavailable, match="cannot be reached"):
        await gone.look_up({"user_id": "ada"})
    with pytest.raises(FactsUnavailable, match="cannot be reached"):
        await gone.probe()
    assert await source(shop, session).probe() == "its server can be reached"

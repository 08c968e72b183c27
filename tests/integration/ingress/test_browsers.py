"""Pages in a browser: which of them may ask, and the documentation behind a path of a proxy's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urljoin

import aiohttp
import msgspec
import pytest
from aiohttp import web

from shared.settings import Settings
from shared.settings.door import IngressSettings
from tests.integration.ingress.running_door import RunningDoor

APP = "https://app.example.com"
PREFLIGHT = {
    "Origin": APP,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}


@pytest.fixture
def open_door(settings: Settings) -> Iterator[RunningDoor]:
    ingress = msgspec.structs.replace(settings.ingress, cors_origins=(APP,))
    with RunningDoor(msgspec.structs.replace(settings, ingress=ingress)) as running:
        yield running


async def test_no_page_may_ask_unless_its_origin_is_set(http: aiohttp.ClientSession) -> None:
    async with http.options("/v1/responses", headers=PREFLIGHT) as answer:
        assert answer.status == 405
    async with http.get("/v1/models", headers={"Origin": APP}) as answer:
        assert answer.status == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


async def test_a_page_whose_origin_is_set_may_ask_and_read_errors_too(
    open_door: RunningDoor, key: str
) -> None:
    async with aiohttp.ClientSession(open_door.url) as http:
        async with http.options("/v1/responses", headers=PREFLIGHT) as answer:
            assert answer.status == 204
        told = answer.headers
        assert told["access-control-allow-origin"] == APP
        assert "POST" in told["access-control-allow-methods"]
        asked = PREFLIGHT["Access-Control-Request-Headers"]
        assert told["access-control-allow-headers"] == asked
        assert "access-control-allow-credentials" not in told
        for authorization, status in ((f"Bearer {key}", 200), ("Bearer fb_unknown", 401)):
            headers = {"Origin": APP, "Authorization": authorization}
            async with http.get("/v1/models", headers=headers) as answer:
                assert answer.status == status
            assert answer.headers["access-control-allow-origin"] == APP
            assert answer.headers["access-control-expose-headers"] == "*"
            assert answer.headers["vary"] == "Origin"


async def test_a_page_from_elsewhere_may_not(open_door: RunningDoor) -> None:
    headers = {**PREFLIGHT, "Origin": "https://app.example.com.elsewhere.test"}
    async with aiohttp.ClientSession(open_door.url) as http:
        async with http.options("/v1/responses", headers=headers) as answer:
            assert answer.status == 405
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origin", ["app.example.com", f"{APP}/", f"{APP}/a", "ftp://a", ""])
def test_what_is_no_origin_is_found_in_the_settings(origin: str) -> None:
    (finding,) = IngressSettings(cors_origins=(origin,)).faults()
    assert "ingress.cors_origins" in finding
    assert f"'{origin}'" in finding
    assert not list(IngressSettings(cors_origins=(APP, "http://[::1]:3000", "*")).faults())


@pytest.fixture
async def proxy(door: RunningDoor) -> AsyncIterator[str]:
    """A reverse proxy that keeps the door under a path of its own, as far as pages go."""

    async def forward(request: web.Request) -> web.Response:
        path = request.path.removeprefix("/ai")
        async with session.get(f"{door.url}{path}") as answer:
            body = await answer.read()
            return web.Response(body=body, status=answer.status, content_type=answer.content_type)

    application = web.Application()
    application.router.add_get("/ai/{rest:.*}", forward)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/ai"
        await runner.cleanup()


async def test_the_documentation_works_behind_a_path_of_a_proxys(proxy: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{proxy}/docs") as answer:
            page = await answer.text()
        links = re.findall(r"(?:src|href)=\"([^\"#]+)\"", page)
        assert len(links) >= 3
        for link in links:
            async with session.get(urljoin(f"{proxy}/docs", link)) as answer:
                assert answer.status == 200, link
                content = await answer.text()
                assert not re.findall(r"fetch\([\"'`]/", content)


HEADERS = {
    "Idempotency-Key": (["order-1", "a", "x" * 255], ["", "x" * 256]),
    "X-Forebay-Deadline": (
        ["30", "2.5", "{year}-01-31T12:00:00Z", "{year}-01-31T12:00:00+01:00"],
        ["soon", "-1", "2026-01-31"],
    ),
}


async def test_the_document_says_what_our_headers_look_like(http: aiohttp.ClientSession) -> None:
    async with http.get("/openapi.json") as answer:
        operation = (await answer.json())["paths"]["/v1/responses"]["post"]
    patterns = {one["name"]: one["schema"].get("pattern") for one in operation["parameters"]}
    assert all(patterns.values())
    for name, (good, bad) in HEADERS.items():
        for value in (*good, *bad):
            shown = value.format(year=2031)
            assert bool(re.search(patterns[name], shown)) is (value in good), (name, shown)
            if name == "X-Forebay-Deadline" and "{year}" in value:
                continue  # right, and further away than the door allows
            body = {"input": value, "background": True}
            async with http.post("/v1/responses", json=body, headers={name: shown}) as answer:
                assert answer.status == (200 if value in good else 400), (name, shown)

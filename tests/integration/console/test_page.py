"""The page in a real browser."""

from __future__ import annotations

import re

import aiohttp
import pytest

from shared.settings import Settings
from tests.integration.console.conftest import MakeKey, looking
from tests.integration.console.seeding import seed
from tests.integration.ingress.running_door import RunningDoor
from tests.servers.browser import browser_page, needs_chromium

pytestmark = needs_chromium
SCREENS = (
    *("overview", "messages", "lanes", "batches", "providers", "tenants", "alerts", "quality"),
    *("letters", "handoffs", "collections", "audit"),
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_on_any_screen(
    settings: Settings, door: RunningDoor, make_key: MakeKey, scheme: str
) -> None:
    await seed(settings.ledger, minutes=3)
    async with looking(door, await make_key(), color_scheme=scheme) as browser:
        page = browser.page
        assert await page.get_attribute("html", "data-theme") == scheme
        for name in SCREENS:
            await page.goto(f"/console#/{name}")
            await page.wait_for_selector(f"main.screen-{name} h1")
            await page.wait_for_selector(".state.waiting", state="detached")
            assert (name, await browser.complaints()) == (name, [])


async def test_somebody_logs_in_by_keyboard_alone_and_out(
    door: RunningDoor, make_key: MakeKey
) -> None:
    async with browser_page(door.url) as browser:
        page = browser.page
        await page.goto("/console")
        await page.wait_for_selector("input[name=key]:focus")
        assert await browser.complaints() == []
        browser.may_be_refused = True
        await page.keyboard.type("fb_wrong")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("[role=alert]:visible")
        browser.may_be_refused = False
        await page.keyboard.type(await make_key())
        await page.keyboard.press("Enter")
        await page.wait_for_selector("h1:text('Overview')")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"
        await page.reload()
        await page.wait_for_selector("h1:text('Overview')")
        await page.click("text=Log out")
        await page.wait_for_selector("input[name=key]")
        await page.reload()
        await page.wait_for_selector("input[name=key]")
        assert not browser.errors


async def test_it_is_read_on_a_phone(door: RunningDoor, make_key: MakeKey) -> None:
    phone = {"width": 375, "height": 700}
    async with looking(door, await make_key(), viewport=phone) as browser:
        for name in SCREENS:
            await browser.page.goto(f"/console#/{name}")
            await browser.page.wait_for_selector(f"main.screen-{name} h1")
            await browser.page.wait_for_selector(".state.waiting", state="detached")
            wide = await browser.page.evaluate("document.documentElement.scrollWidth")
            assert (name, wide) == (name, phone["width"])


async def test_the_stream_comes_back_when_the_door_does(
    settings: Settings, door: RunningDoor, make_key: MakeKey
) -> None:
    async with looking(door, await make_key()) as browser:
        await browser.page.wait_for_selector(".live[data-state=live]")
        browser.may_be_refused = True
        door.close()
        await browser.page.wait_for_selector(".live[data-state=lost]")
        with RunningDoor(settings, port=door.port):
            await browser.page.wait_for_selector(".live[data-state=live]")


async def test_a_page_holds_nothing_from_elsewhere_and_no_script_of_its_own(
    stranger: aiohttp.ClientSession,
) -> None:
    async with stranger.get("/console") as answer:
        assert answer.status == 200
        policy = answer.headers["content-security-policy"]
        page = await answer.text()
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    names = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert names
    for name in names:
        assert name.startswith("console/page/")
        async with stranger.get(f"/{name}") as answer:
            assert answer.status == 200
            tag = {"If-None-Match": answer.headers["etag"]}
        async with stranger.get(f"/{name}", headers=tag) as answer:
            assert answer.status == 304
    for name in ("../guard.py", "__init__.py", "shell", "nothing.js", "%2e%2e/guard.py"):
        async with stranger.get(f"/console/page/{name}") as answer:
            assert answer.status == 404

"""The page in a real browser."""

from __future__ import annotations

import re
from typing import Literal

import aiohttp
from playwright.async_api import ViewportSize

from shared.settings import Settings
from tests.integration.console.conftest import Look, MakeKey
from tests.integration.console.seeding import seed
from tests.integration.ingress.running_door import RunningDoor
from tests.servers.browser import BrowserPage, Chromium, needs_chromium

pytestmark = needs_chromium
PHONE: ViewportSize = {"width": 375, "height": 700}
_SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
SCREENS = (
    *("overview", "messages", "lanes", "batches", "providers", "tenants", "alerts", "quality"),
    *("letters", "handoffs", "collections", "audit"),
)


async def test_every_screen_is_read_in_light_and_dark_and_on_a_phone(
    settings: Settings, look: Look, make_key: MakeKey
) -> None:
    await seed(settings.ledger, minutes=3)
    async with look(await make_key(), color_scheme="dark") as browser:
        page = browser.page
        for name in SCREENS:
            await page.goto(f"/console#/{name}")
            await page.wait_for_selector(f"main.screen-{name} h1")
            await page.wait_for_selector(".state.waiting", state="detached")
            for scheme in _SCHEMES:
                await page.emulate_media(color_scheme=scheme)
                await page.wait_for_selector(f"html[data-theme={scheme}]")
                assert (name, scheme, await browser.complaints()) == (name, scheme, [])
            await page.set_viewport_size(PHONE)
            await _fits_the_phone(browser)
            await page.set_viewport_size({"width": 1280, "height": 720})


async def test_what_is_not_there_and_has_the_longest_name_is_told_within_the_page(
    look: Look, make_key: MakeKey
) -> None:
    async with look(await make_key(), viewport=PHONE) as browser:
        browser.may_be_refused = True
        for name in ("messages", "letters", "handoffs", "batches", "collections", "quality"):
            await browser.page.goto(f"/console#/{name}/{'y' * 1_000}")
            await browser.page.wait_for_selector(f"main.screen-{name} .state.bad")
            await browser.page.wait_for_selector(".state.waiting", state="detached")
            await _fits_the_phone(browser)
            place = await browser.page.locator(".places a[aria-current]").bounding_box()
            assert place is not None
            assert 0 <= place["x"] <= PHONE["width"] - place["width"], "it is in view"
        await browser.page.go_back()
        await browser.page.wait_for_selector("main.screen-collections .state.bad")


async def _fits_the_phone(browser: BrowserPage) -> None:
    """Returns when it does: a chart follows the width of its place."""
    await browser.page.wait_for_function(
        "width => document.documentElement.scrollWidth === width", arg=PHONE["width"]
    )


async def test_somebody_logs_in_by_keyboard_alone_and_out(
    chromium: Chromium, door: RunningDoor, make_key: MakeKey
) -> None:
    async with chromium.page(door.url) as browser:
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


async def test_the_stream_comes_back_when_the_door_does(
    settings: Settings, door: RunningDoor, look: Look, make_key: MakeKey
) -> None:
    async with look(await make_key()) as browser:
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

"""What the screens show of a day's traffic, and do."""

from __future__ import annotations

import msgspec
import pytest

from shared.messages.tenant import KeyScope
from shared.settings import Settings
from shared.settings.providers import ProviderKind, ProviderSettings
from tests.integration.console.conftest import LogIn, Look, MakeKey
from tests.integration.console.seeding import MARKUP, append_more_than_is_read, seed
from tests.integration.console.test_page import SCREENS
from tests.servers.browser import needs_chromium


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a provider that is named by the test."""
    chain = ProviderSettings(
        name="openai",
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url="http://127.0.0.1:9/v1",
        model="gpt-5-mini",
    )
    return msgspec.structs.replace(settings, providers=(chain,))


@needs_chromium
async def test_no_text_of_a_caller_becomes_a_script_or_an_element(
    settings: Settings, look: Look, make_key: MakeKey
) -> None:
    await seed(settings.ledger, minutes=3, strange=MARKUP)
    async with look(await make_key()) as browser:
        page = browser.page
        for name in SCREENS:
            await page.goto(f"/console#/{name}")
            await page.wait_for_selector(f"main.screen-{name} h1")
            await page.wait_for_selector(".state.waiting", state="detached")
            assert (name, await page.locator("img, main script").count()) == (name, 0)
        await page.goto("/console#/tenants")
        await page.wait_for_selector(
            f"td:text-is({msgspec.json.encode('harbour' + MARKUP).decode()})"
        )
        assert await page.evaluate("window.ran") is None


@needs_chromium
async def test_the_overview_tells_of_the_last_minutes_and_of_today(
    settings: Settings, look: Look, make_key: MakeKey
) -> None:
    await seed(settings.ledger, minutes=5)
    async with look(await make_key()) as browser:
        page = browser.page
        await page.wait_for_selector("canvas")
        figures = await page.locator(".cards .figure").all_inner_texts()
        assert len(figures) == 6
        await page.wait_for_selector("text=The system is down")
        await page.wait_for_selector("text=No worker is alive")
        assert "—" not in figures[1:], figures
        assert await page.locator(".u-legend >> text=p95").count()
        assert not await page.locator(".trouble:visible").count()
        await append_more_than_is_read(settings.ledger)
        await page.wait_for_selector(".trouble:has-text('Figures are behind by')")


@needs_chromium
async def test_an_operator_opens_and_closes_a_breaker_and_it_is_recorded(
    look: Look, make_key: MakeKey, log_in: LogIn
) -> None:
    operator = await log_in(KeyScope.OPERATOR)
    asked = {"name": "openai/gpt-5-mini", "become": "open", "seconds": 60}
    async with operator.post("/console/api/breakers", json=asked) as answer:
        assert answer.status == 204, await answer.text()
    async with look(await make_key(KeyScope.OPERATOR)) as browser:
        page = browser.page
        await page.goto("/console#/providers")
        await page.wait_for_selector(".tag.bad")
        await page.click("button:text-is('Close')")
        await page.wait_for_selector(".tag.good")
        await page.click("button:text-is('Open')")
        await page.fill("dialog input", "2")
        await page.click("dialog button.danger")
        await page.wait_for_selector("text=/open, .*left/")
        await page.goto("/console#/audit")
        await page.wait_for_selector("td:text-is('breakers.reset')")
        acts = await page.locator("tbody tr td:nth-child(4)").all_inner_texts()
        assert acts == ["breakers.open", "breakers.reset", "breakers.open"]
        await page.click("button:text-is('Verify')")
        await page.wait_for_selector("text=All 3 entries fit")


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"name": "elsewhere/gpt", "become": "open"}, "name"),
        ({"name": "openai", "become": "open"}, "name"),
        ({"name": "openai/gpt", "become": "ajar"}, "become"),
        ({"name": "openai/gpt", "become": "open", "seconds": 0}, "seconds"),
        ({"become": "open"}, "name"),
    ],
)
async def test_what_is_no_breaker_is_not_opened(
    log_in: LogIn, asked: dict[str, object], param: str
) -> None:
    operator = await log_in(KeyScope.OPERATOR)
    async with operator.post("/console/api/breakers", json=asked) as answer:
        assert answer.status == 400
        assert f"'{param}'" in (await answer.json())["detail"]
    async with operator.get("/console/api/audit") as answer:
        assert (await answer.json())["rows"] == [], "what is refused is no act"

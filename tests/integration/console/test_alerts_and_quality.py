"""What is wrong and what is good, in a browser and beside it."""

from __future__ import annotations

import pytest

from shared.clock import SystemClock
from shared.messages.tenant import KeyScope
from shared.persistence.engine import open_database
from shared.persistence.tenants import TenantRepository
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.views.negative_feedback import NegativeFeedback
from shared.views.place import Place
from tests.integration.console.conftest import LogIn, Look, MakeKey
from tests.integration.console.judging import add_feedback
from tests.integration.console.seeding import seed
from tests.servers.browser import needs_chromium


@needs_chromium
async def test_an_alert_is_acknowledged_and_silenced_and_both_are_recorded(
    settings: Settings, look: Look, make_key: MakeKey
) -> None:
    await seed(settings.ledger, minutes=1)
    async with look(await make_key(KeyScope.OPERATOR)) as browser:
        page = browser.page
        await page.wait_for_selector(".places .badge")
        await page.click(".places >> text=Alerts")
        await page.click("button:text-is('Acknowledge')")
        await page.wait_for_selector("text=/acknowledged by key_/")
        await page.wait_for_selector(".places .badge", state="detached")
        await page.wait_for_selector("td:text('acknowledged') >> nth=0")
        await page.click("td button:text-is('Silence')")
        await page.fill("dialog label:has-text('Why') input", "known")
        await page.click("dialog button.main")
        await page.wait_for_selector("h2:text-is('Silences')")
        await page.click("td button:text-is('End')")
        await page.wait_for_selector("h2:text-is('Silences')", state="hidden")
        await page.goto("/console#/audit")
        await page.wait_for_selector("td:text-is('alerts.unsilence')")
        acts = await page.locator("tbody tr td:nth-child(4)").all_inner_texts()
    assert acts[:3] == ["alerts.unsilence", "alerts.silence", "alerts.acknowledge"]


@needs_chromium
async def test_a_run_is_read_down_to_what_did_not_hold(
    settings: Settings, look: Look, make_key: MakeKey
) -> None:
    await seed(settings.ledger, minutes=1)
    async with look(await make_key()) as browser:
        page = browser.page
        await page.goto("/console#/quality")
        await page.wait_for_selector("text=10 % to 90 %")
        await page.wait_for_selector("text=helpful by ann")
        await page.wait_for_selector("text=44 % to 97 %")
        await page.wait_for_selector("text=2: It answered no JSON.")
        await page.wait_for_selector("text=The API key was revoked.")
        await page.wait_for_selector("text=1 asked again")
        await page.select_option("label:has-text('for each') select", "tenant")
        await page.wait_for_selector("td:text-is('harbour')")
        await page.wait_for_selector("text=50 %")
        await page.locator("tr[tabindex='0']").first.focus()
        await page.keyboard.press("Enter")
        await page.wait_for_selector("text=/facts: a sentence contradicts/")
        assert await browser.complaints() == []


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"matchers": {}, "hours": 1, "why": "x"}, "matcher"),
        ({"matchers": {"rule": "*"}, "hours": 0, "why": "x"}, "'hours'"),
        ({"matchers": {"rule": "*"}, "hours": 1, "why": ""}, "'why'"),
        ({"matchers": {"": "*"}, "hours": 1, "why": "x"}, "matcher"),
    ],
)
async def test_a_silence_that_makes_no_sense_is_refused_by_its_field(
    log_in: LogIn, body: dict[str, object], word: str
) -> None:
    operator = await log_in(KeyScope.OPERATOR)
    async with operator.post("/console/api/alerts/silences", json=body) as answer:
        detail = (await answer.json())["detail"]
        assert (answer.status, word in detail) == (400, True), detail


@pytest.mark.parametrize(
    ("asked", "word"), [("by=colour", "'by'"), ("days=0", "'days'"), ("day=1", "'day'")]
)
async def test_outcomes_that_cannot_be_told_are_refused_by_their_field(
    log_in: LogIn, asked: str, word: str
) -> None:
    reader = await log_in()
    async with reader.get(f"/console/api/quality/outcomes?{asked}") as answer:
        detail = (await answer.json())["detail"]
        assert (answer.status, word in detail) == (400, True), detail


async def test_what_is_not_there_is_not_acknowledged(log_in: LogIn) -> None:
    operator = await log_in(KeyScope.OPERATOR)
    async with operator.post("/console/api/alerts/nothing/acknowledge", json={}) as answer:
        assert answer.status == 404
    async with operator.get("/console/api/quality/runs/nothing") as answer:
        assert answer.status == 404
    for page in ("feedback", "judged"):
        async with operator.get(f"/console/api/quality/{page}?before=nowhere") as answer:
            assert answer.status == 400


async def test_negative_feedback_is_read_a_page_at_a_time(migrated_ledger_url: str) -> None:
    database = open_database(LedgerSettings(url=ServerUrl(migrated_ledger_url)))
    try:
        tenants = TenantRepository(database, SystemClock())
        one, other = await tenants.create("one"), await tenants.create("other")
        for owner in (one, other, one, other, one):
            await add_feedback(database, owner.id)
        for tenant_id, found in ((None, 5), (one.id, 3)):
            view, place, seen = NegativeFeedback(database, looked_at=3), None, list[str]()
            while True:
                page = await view.page(tenant_id=tenant_id, before=place, limit=2)
                seen += [row.id for row in page.rows]
                if page.next is None:
                    break
                place = Place.read(page.next)
            assert len(seen) == len(set(seen)) == found
    finally:
        await database.close()

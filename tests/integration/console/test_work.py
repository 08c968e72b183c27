"""Dead letters and handoffs in a browser: many at once, two at one, and a session that ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from playwright.async_api import TimeoutError as PlaywrightTimeout
from sqlalchemy import func, select

from shared.clock import ManualClock, SystemClock
from shared.messages.dead_letter import DeadReason
from shared.messages.state import ResponseState
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database, open_database
from shared.persistence.tables import DeadLetterState, HandoffState, dead_letter, handoff, message
from shared.persistence.tenants import TenantRepository
from shared.settings import Settings
from tests.integration.console.conftest import Look, MakeKey
from tests.integration.console.seeding import MARKUP
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.views.shelf import ViewedLedger
from tests.servers.browser import needs_chromium

pytestmark = needs_chromium
ACTS = "main button:text-matches('Replay|Discard|Choose')"


@pytest_asyncio.fixture(loop_scope="session")
async def viewed(settings: Settings) -> AsyncIterator[ViewedLedger]:
    database = open_database(settings.ledger)
    yield ViewedLedger(database, ManualClock())
    await database.close()


async def test_more_letters_than_anybody_scrolls_through_are_discarded_at_once(
    look: Look, make_key: MakeKey, viewed: ViewedLedger
) -> None:
    await viewed.letters(230, detail=f"It broke. {MARKUP}{'long' * 200}", queue=f"intake{MARKUP}")
    await viewed.letters(20, first=230, reason=DeadReason.INVALID)
    async with look(await make_key(KeyScope.OPERATOR)) as browser:
        page = browser.page
        await page.goto("/console#/letters?reason=fault")
        await page.wait_for_selector("tbody tr")
        await page.click("button:text-is('Choose all')")
        await page.click("button:text-is('Discard 230')")
        await page.click("dialog button.danger")
        await page.wait_for_selector("text=230 discarded.")
        await page.wait_for_selector("text=There are no dead letters.")
        assert await page.locator("button:text-is('Choose all')").is_disabled()
        await page.goto("/console#/letters")
        await page.wait_for_selector("text=20 in all")
        assert await page.evaluate("window.ran") is None
        assert await browser.complaints() == []
    assert await _letters(viewed.database, DeadLetterState.OPEN) == 20


async def test_a_reader_is_shown_no_act_and_no_wait_below_zero(
    look: Look, make_key: MakeKey, viewed: ViewedLedger
) -> None:
    await viewed.letters(1)
    await _waiting(viewed)
    async with look(await make_key()) as browser:
        page = browser.page
        for place, shown in (("letters", "tbody tr"), ("letters/dead_0000", "dd .tag")):
            await page.goto(f"/console#/{place}")
            await page.wait_for_selector(f"main {shown}")
            assert await page.locator(ACTS).count() == 0
        await page.goto("/console#/handoffs/hand_0000")
        await page.wait_for_selector("main dd .tag")
        assert await page.locator("main form").count() == 0
        await page.clock.set_fixed_time("2000-01-01T00:00:00Z")
        await page.goto("/console#/handoffs")
        await page.wait_for_selector("td:text-is('0 ms')")


async def test_who_was_slower_with_an_answer_is_told_and_keeps_what_they_wrote(
    door: RunningDoor, look: Look, make_key: MakeKey, viewed: ViewedLedger
) -> None:
    await _waiting(viewed)
    key = await make_key(KeyScope.OPERATOR)
    async with look(key) as one, look(key) as other:
        for each in (one, other):
            await each.page.goto("/console#/handoffs/hand_0000")
            await each.page.wait_for_selector("textarea")
        await other.page.fill("textarea", f"Mine. {MARKUP}")
        await one.page.fill("textarea", "I was here first.")
        await one.page.fill("input[name=answered_by]", f"Ann {MARKUP}"[:48])
        await one.page.click("button:text-is('Answer')")
        await one.page.wait_for_selector("text=/Ann <img/")
        # Told by the stream, or by the door when it is sent: whichever comes first.
        await other.page.wait_for_selector("text=What you wrote was not sent:")
        assert await other.page.locator("pre:text('Mine.')").count() == 1
        assert await other.page.locator("textarea").count() == 0
        assert await other.page.evaluate("window.ran") is None
    async with viewed.database.durable.connect() as connection:
        assert await connection.scalar(select(handoff.c.state)) == HandoffState.ANSWERED


async def test_a_session_that_ends_while_somebody_writes_takes_nothing(
    look: Look, make_key: MakeKey, viewed: ViewedLedger
) -> None:
    await _waiting(viewed)
    key = await make_key(KeyScope.OPERATOR)
    async with look(key) as browser:
        page = browser.page
        await page.goto("/console#/handoffs/hand_0000")
        await page.fill("textarea", "A long answer.")
        browser.may_be_refused = True
        await page.context.clear_cookies()
        with suppress(PlaywrightTimeout):  # the page may read the list again, and hear of it so
            await page.click("button:text-is('Answer')", timeout=3_000)
        await page.wait_for_selector("text=You are no longer logged in.")
        await page.fill("input[name=key]", key)
        await page.press("input[name=key]", "Enter")
        await page.wait_for_selector("textarea")
        assert await page.input_value("textarea") == "A long answer."
        await page.click("button:text-is('Answer')")
        await page.wait_for_selector(".said >> text=Answered.")


async def test_who_only_looks_is_told_that_the_key_was_revoked(
    look: Look, make_key: MakeKey, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingress.console.live.stream._CHECK_BEATS", 1)
    async with look(await make_key()) as browser:
        await browser.page.wait_for_selector(".live[data-state=live]")
        database = open_database(settings.ledger)
        tenants = TenantRepository(database, SystemClock())
        (key,) = await tenants.keys()
        await tenants.revoke_key(key.id)
        await database.close()
        await browser.page.wait_for_selector("text=You are no longer logged in.")


async def _letters(database: Database, state: DeadLetterState) -> int:
    async with database.durable.connect() as connection:
        query = select(func.count()).where(dead_letter.c.state == state)
        return int(await connection.scalar(query) or 0)


async def _waiting(viewed: ViewedLedger) -> None:
    """One message that waits for a person."""
    owner = await TenantRepository(viewed.database, SystemClock()).create(f"harbour{MARKUP}")
    fields = {"tenant_id": owner.id, "state": ResponseState.REQUIRES_ACTION}
    await viewed.put(message, viewed.message(0, **fields))
    await viewed.handoffs(1, message_id=viewed.id_of(0), tenant_id=owner.id)

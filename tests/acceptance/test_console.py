"""A person finds, replays, answers and watches in the console of a whole stack."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from kombu import Connection
from sqlalchemy import update

from deploy.cli.connection import command_settings, open_ledger
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote
from shared.persistence.message_history import read_history
from shared.persistence.statements import transaction
from shared.persistence.tables import message
from tests.acceptance.command import RunningStack, Typed, eventually, http_get, http_post, printed
from tests.acceptance.test_batch import requests
from tests.servers.browser import BrowserPage, Chromium, needs_chromium

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session")]
MARKUP: Final = '<img src="x" onerror="window.ran=1"><script>window.ran=2</script>'
"""Harmless: it says in the page that it ran."""


class Caller:
    """Who sends messages to the stack over HTTP."""

    def __init__(self, stack: RunningStack) -> None:
        self._url = f"{stack.ready['url']}/v1"
        self._login = {"Authorization": f"Bearer {stack.ready['key']}"}

    def post(self, path: str, **body: Any) -> Any:
        answer = http_post(f"{self._url}{path}", json=body, headers=self._login)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def response(self, message_id: str) -> Any:
        return http_get(f"{self._url}/responses/{message_id}", headers=self._login).json()


@pytest.fixture
def caller(stack: RunningStack) -> Caller:
    return Caller(stack)


@pytest.fixture
def operator(typed: Typed, tmp_path: Path) -> str:
    """A key that sees and acts."""
    made = printed(typed, "keys", "create", "--tenant", tmp_path.name, "--scope", "operator")
    key: str = made["key"]
    return key


@asynccontextmanager
async def at_console(
    chromium: Chromium, stack: RunningStack, key: str
) -> AsyncIterator[BrowserPage]:
    """A browser that is logged in; nothing may go wrong in its page, and no markup runs."""
    async with chromium.page(stack.ready["url"], accept_downloads=True) as browser:
        page = browser.page
        await page.goto("/console")
        await page.fill("input[name=key]", key)
        await page.press("input[name=key]", "Enter")
        await page.wait_for_selector("h1:text('Overview')")
        yield browser
        assert await page.evaluate("window.ran") is None
        assert not browser.errors


async def _held(message_id: str, why: str) -> None:
    """As though it had been held until a worker took it."""
    async with open_ledger(command_settings()) as database:
        record = (await read_history(database, message_id)).record
        assert record is not None
        since, until = record.accepted_at, record.claimed_at
        line = WaitNote(cause=WaitCause.NO_WORKER, since=since, until=until, why=why).line()
        noted = update(message).where(message.c.id == message_id).values(waits=line)
        async with transaction(database.durable) as connection:
            await connection.execute(noted)


async def test_somebody_finds_a_message_and_sees_where_its_time_went(
    chromium: Chromium, stack: RunningStack, typed: Typed, caller: Caller, operator: str
) -> None:
    sent = await asyncio.to_thread(caller.post, "/responses", input="Hello", user="ann")
    assert await asyncio.to_thread(printed, typed, "show", sent["id"])
    await _held(sent["id"], f"No worker. {MARKUP}")
    async with at_console(chromium, stack, operator) as browser:
        page = browser.page
        await page.keyboard.press("/")
        await page.wait_for_selector("main.screen-messages h1")
        await page.get_by_label("user").fill("ann")
        await page.get_by_label("user").press("Enter")
        await page.wait_for_selector(f"tr[data-row='{sent['id']}']")
        await page.focus(f"tr[data-row='{sent['id']}']")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".waterfall .stretch.turn")
        assert await page.inner_text(".waterfall .why") == f"No worker. {MARKUP}"
        assert await page.inner_text(".talk .user pre") == "Hello"
        await page.goto("/console#/messages")
        await page.get_by_label("id or conversation").fill(sent["id"])
        await page.get_by_label("id or conversation").press("Enter")
        await page.wait_for_selector(".waterfall")
        assert await browser.complaints() == []


def _put_on_intake(stack: RunningStack, body: str) -> None:
    state = json.loads((stack.folder / ".forebay" / "stack.json").read_text())
    with Connection(state["environment"]["FOREBAY_BROKER__URL"]) as connection:
        connection.Producer().publish(
            body, routing_key="intake", content_type="application/json", content_encoding="utf-8"
        )


async def test_somebody_replays_one_dead_letter_and_discards_another(
    chromium: Chromium, stack: RunningStack, typed: Typed, caller: Caller, operator: str
) -> None:
    late = await asyncio.to_thread(
        caller.post, "/responses", input="word " * 40_000, background=True, model="auto"
    )
    broken = f"no JSON {MARKUP}"
    await asyncio.to_thread(_put_on_intake, stack, broken)

    def letters() -> dict[str, str]:
        found = printed(typed, "dead", "list")
        return {each["message_id"] or each["body"]: each["id"] for each in found}

    assert await asyncio.to_thread(eventually, lambda: {late["id"], broken} <= letters().keys())
    wanted = await asyncio.to_thread(letters)
    async with at_console(chromium, stack, operator) as browser:
        page = browser.page
        await page.goto("/console#/letters")
        await page.check(f"tr[data-row='{wanted[late['id']]}'] input")
        await page.click("button:text('Replay 1')")
        await page.click("dialog button.main")
        await page.wait_for_selector(".said :text('1 on the way again')")
        await page.goto(f"/console#/letters/{wanted[broken]}")
        await page.wait_for_selector(f"pre:text('{MARKUP[:10]}')")
        await page.click("button:text('Discard')")
        await page.click("dialog button.danger")
        await page.wait_for_selector(".tag:text('discarded')")
        assert await browser.complaints() == []
    shown = await asyncio.to_thread(printed, typed, "dead", "show", wanted[late["id"]])
    assert shown["state"] == "replayed"
    assert shown["replayed_as"].startswith("resp_")
    acts = await asyncio.to_thread(printed, typed, "audit", "list")
    recorded = {(each["act"], each["target"], each["role"]) for each in acts}
    assert {
        ("dead.replay", wanted[late["id"]], "operator"),
        ("dead.discard", wanted[broken], "operator"),
    } <= recorded


async def test_somebody_answers_a_handoff_with_the_conversation_in_view(
    chromium: Chromium, stack: RunningStack, typed: Typed, caller: Caller, operator: str
) -> None:
    question = "When does my contract end?"
    asked = await asyncio.to_thread(caller.post, "/responses", input=question)
    assert asked["status"] == "requires_action"
    shown = await asyncio.to_thread(printed, typed, "show", asked["id"])
    async with at_console(chromium, stack, operator) as browser:
        page = browser.page
        await page.goto("/console#/handoffs")
        await page.wait_for_selector(f"tr[data-row='{shown['handoff_id']}']")
        await page.goto(f"/console#/handoffs/{shown['handoff_id']}")
        await page.wait_for_selector(f".talk .user pre:text('{question}')")
        assert await browser.complaints() == []
        await page.fill("textarea[name=text]", "On 31 March.")
        await page.fill("input[name=answered_by]", "ann")
        await page.click("form.answer button")
        await page.wait_for_selector(".tag:text('answered')")
    told = await asyncio.to_thread(caller.response, asked["id"])
    assert told["status"] == "completed"
    assert told["output"][0]["content"][0]["text"] == "On 31 March."


async def test_somebody_watches_a_batch_finish_and_fetches_its_answers(
    chromium: Chromium, stack: RunningStack, typed: Typed, operator: str, tmp_path: Path
) -> None:
    written = tmp_path / "requests.jsonl"
    written.write_text(requests("Hello there", "Hello again"))
    async with at_console(chromium, stack, operator) as browser:
        page = browser.page
        batch = await asyncio.to_thread(printed, typed, "batch", "submit", str(written))
        await page.goto("/console#/batches")
        await page.wait_for_selector(f"tr[data-row='{batch['id']}']")
        await page.goto(f"/console#/batches/{batch['id']}")
        await page.wait_for_selector(".tag.good:text('completed')")
        assert "2 of 2" in await page.inner_text("dl.facts")
        assert await browser.complaints() == []
        async with page.expect_download() as downloading:
            await page.click("text=Download answers")
        answers = Path(await (await downloading.value).path()).read_text()
        lines = [json.loads(line)["custom_id"] for line in answers.splitlines()]
        assert lines == ["line-0", "line-1"]


async def test_no_markup_of_a_caller_runs_on_any_screen_of_work(
    chromium: Chromium, stack: RunningStack, caller: Caller, typed: Typed, operator: str
) -> None:
    sent = await asyncio.to_thread(
        caller.post, "/responses", input=MARKUP, user=MARKUP[:100], instructions=MARKUP
    )
    assert sent["status"] == "requires_action"
    shown = await asyncio.to_thread(printed, typed, "show", sent["id"])
    store = await asyncio.to_thread(caller.post, "/vector_stores", name=MARKUP)
    async with at_console(chromium, stack, operator) as browser:
        browser.may_be_refused = True  # one of them is the id of nothing
        for place in (
            "messages",
            f"messages/{sent['id']}",
            f"handoffs/{shown['handoff_id']}",
            "letters",
            "batches",
            "lanes",
            "collections",
            f"collections/{store['id']}",
            f"messages?find={MARKUP}",
            f"messages/{MARKUP}",
        ):
            await browser.page.goto(f"/console#/{place}")
            await browser.page.wait_for_selector("h1")
            await browser.page.wait_for_selector(".state.waiting", state="detached")
        await browser.page.goto(f"/console#/messages/{sent['id']}")
        await browser.page.wait_for_selector(".talk .user pre")
        assert await browser.page.inner_text(".talk .user pre") == MARKUP

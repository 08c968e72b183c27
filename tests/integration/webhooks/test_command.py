"""`forebay webhooks`, as an operator types it, and a whole worker that does what it says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from deploy.cli.__main__ import FAILED, WRONGLY_USED, run
from shared.clock import SystemClock
from shared.persistence.engine import open_database
from shared.persistence.tenants import TenantRepository
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.webhooks.endpoints import MOST_ENDPOINTS
from tests.integration.queueing.conftest import eventually
from tests.integration.webhooks.receiver import WebhookReceiver
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.road import open_road
from tests.integration.workers.stack import Stack

URL = "https://example.com/hook"


class TypedWebhooks:
    """What `forebay webhooks … --tenant acme` said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    async def __call__(self, *words: str, code: int = 0) -> tuple[str, str]:
        typed = ("webhooks", *words, "--tenant", "acme")
        assert await asyncio.to_thread(run, typed) == code
        said = self._capsys.readouterr()
        return said.out, said.err

    async def json(self, *words: str, code: int = 0) -> Any:
        return json.loads((await self(*words, "--json", code=code))[0])


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> TypedWebhooks:
    return TypedWebhooks(capsys)


@pytest.fixture
async def acme(migrated_sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_sqlite_url)
    await _create_acme(migrated_sqlite_url)


async def _create_acme(url: str) -> str:
    database = open_database(LedgerSettings(url=ServerUrl(url)))
    try:
        return (await TenantRepository(database, SystemClock()).create("acme")).id
    finally:
        await database.close()


@pytest.mark.usefixtures("acme")
async def test_an_endpoint_is_added_listed_given_another_secret_and_removed(
    typed: TypedWebhooks,
) -> None:
    said, _ = await typed("list")
    assert said == "acme has no webhook endpoints.\n"
    added = await typed.json("add", URL, "--event", "response.completed")
    assert added["secret"].startswith("whsec_")
    assert (added["url"], added["events"]) == (URL, ["response.completed"])
    said, _ = await typed("list")
    assert added["id"] in said
    assert "response.completed" in said
    assert added["secret"] not in said + json.dumps(await typed.json("list"))
    rotated = await typed.json("rotate", added["id"], "--overlap", "1h")
    assert rotated["secret"] != added["secret"]
    assert (await typed.json("list"))[0]["secrets_in_force"] == 2
    assert "still signs" in (await typed("rotate", added["id"], code=FAILED))[1]
    assert (await typed.json("rotate", added["id"], "--overlap", "0s"))["secrets_in_force"] == 1
    assert await typed.json("remove", added["id"]) == {"id": added["id"], "removed": True}
    assert await typed.json("list") == []
    assert (await typed("deliveries"))[0] == "Nothing was to be told to acme.\n"


@pytest.mark.usefixtures("acme")
async def test_what_cannot_be_done_is_refused_with_the_fix(typed: TypedWebhooks) -> None:
    for url, fix in (
        ("http://example.com/", "webhooks.allow_http"),
        ("https://127.0.0.1/", "webhooks.allowed_networks"),
        ("nowhere", "https://"),
    ):
        assert fix in (await typed("add", url, code=WRONGLY_USED))[1]
    _, told = await typed("add", URL, "--event", "response.begun", code=WRONGLY_USED)
    assert "response.completed" in told
    for verb in ("remove", "rotate", "test"):
        _, told = await typed(verb, "we_none", code=FAILED)
        assert "no webhook endpoint 'we_none'" in told
    _, told = await typed("redeliver", "whd_none", code=FAILED)
    assert "no webhook delivery 'whd_none'" in told
    for _ in range(MOST_ENDPOINTS):
        await typed("add", URL)
    assert "remove one first" in (await typed("add", URL, code=WRONGLY_USED))[1]


@pytest.mark.usefixtures("acme")
async def test_a_test_that_no_worker_tries_says_so(typed: TypedWebhooks) -> None:
    added = await typed.json("add", URL)
    said, told = await typed("test", added["id"], "--wait", "0", code=1)
    assert "pending" in said
    assert "No worker has tried it yet" in told


async def test_a_worker_tells_an_endpoint_of_what_it_has_answered(
    one_machine: Callable[..., Stack],
    receiver: WebhookReceiver,
    typed: TypedWebhooks,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {
        "FOREBAY_WEBHOOKS__ALLOW_HTTP": "true",
        "FOREBAY_WEBHOOKS__ALLOWED_NETWORKS": '["127.0.0.0/8"]',
    }
    stack = one_machine(**told)
    monkeypatch.chdir(tmp_path)
    for name, value in (told | {"FOREBAY_LEDGER__URL": stack.ledger_url}).items():
        monkeypatch.setenv(name, value)
    tenant_id = await _create_acme(stack.ledger_url)
    added = await typed.json("add", receiver.url)
    worker = AgentWorker(stack, tmp_path).start()
    try:
        tested = await typed.json("test", added["id"], "--wait", "60")
        assert (tested["state"], tested["type"]) == ("delivered", "webhook.test")
        async with open_road(stack) as road:
            record = await road.accept("Hello", tenant_id=tenant_id, seconds=-1)
        await eventually(lambda: len(receiver.got) == 2)
        got = receiver.got[1]
        event = Webhook(added["secret"]).verify(got.body.decode(), got.headers)
        assert event["type"] == "response.failed"
        assert event["data"] == {"id": record.id}
        await eventually_delivered(typed, 2)
        shown, _ = await typed("deliveries", "--state", "delivered")
        assert record.id in shown
        assert added["id"] in shown
        (newest, _) = await typed.json("deliveries")
        again = await typed.json("redeliver", newest["id"])
        assert (again["id"], again["state"]) == (newest["id"], "pending")
        await eventually(lambda: len(receiver.got) == 3)
        assert receiver.got[2].id == got.id
    finally:
        worker.kill()


async def eventually_delivered(typed: TypedWebhooks, number: int) -> None:
    """Return once so many are noted as delivered."""
    deadline = time.monotonic() + 60
    while len(await typed.json("deliveries", "--state", "delivered")) < number:
        assert time.monotonic() < deadline

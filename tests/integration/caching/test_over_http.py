"""The cache as a caller meets it: header, report on the response, deleting, complaining."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from deploy.cli.__main__ import DONE, run
from shared.settings import Settings
from tests.integration.ingress.conftest import patient, settings_for
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.patience import PatientSettings
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import eventually
from tests.integration.workers.stack import Stack

Answer = dict[str, Any]
Command = Callable[..., Awaitable[str]]


@pytest.fixture
def settings(stack: Stack, patience: PatientSettings) -> Settings:
    return patient(settings_for(stack.ledger_url, stack.redis_url, stack.broker_url))


@pytest.fixture
def door(settings: Settings, workers: tuple[AgentWorker, AgentWorker]) -> Iterator[RunningDoor]:
    with RunningDoor(settings) as running:
        yield running


@pytest.fixture
def command(
    stack: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """What `forebay cache` says."""
    monkeypatch.chdir(tmp_path)
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)

    async def type_(*words: str) -> str:
        capsys.readouterr()
        assert await asyncio.to_thread(run, ["cache", *words]) == DONE
        return capsys.readouterr().out

    return type_


@asynccontextmanager
async def tenant(settings: Settings, door: RunningDoor, name: str) -> AsyncIterator[Caller]:
    headers = {"Authorization": f"Bearer {await new_key(settings.ledger, name)}"}
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(door.url, headers=headers, timeout=timeout) as session:
        yield Caller(session)


class Caller:
    """One tenant over HTTP."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, question: str, *, control: str | None = None) -> Answer:
        headers = {} if control is None else {"Cache-Control": control}
        return (await self.send("POST", "/v1/responses", {"input": question}, headers))[1]

    async def ask_until_stored(self, question: str) -> Answer:
        async def found() -> Answer | None:
            response = await self.ask(question)
            return response if cache_of(response) else None

        await self.ask(question)
        return await eventually(found, "a hit")

    async def send(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Answer]:
        async with self._session.request(method, path, json=body, headers=headers) as response:
            return response.status, await response.json()


def cache_of(response: Answer) -> Answer | None:
    found: Answer | None = (response.get("turn") or {}).get("cache")
    return found


async def test_a_response_says_where_it_came_from_and_headers_are_heeded(
    settings: Settings, door: RunningDoor, provider: ProviderThread
) -> None:
    async with tenant(settings, door, "acme") as acme:
        hit = await acme.ask_until_stored("asked over http")
        cache = cache_of(hit)
        assert cache is not None
        assert cache["entry"].startswith("cache_")
        assert hit["cost"]["amount"] == "0"
        for words in ("no-cache", "no-store", "max-age=0"):
            assert cache_of(await acme.ask("asked over http", control=words)) is None
        status, error = await acme.send(
            "POST", "/v1/responses", {"input": "x"}, {"Cache-Control": "max-age=soon"}
        )
        assert (status, error["error"]["param"]) == (400, "Cache-Control")
        chat = {"messages": [{"role": "user", "content": "asked over http"}]}
        _, completion = await acme.send("POST", "/v1/chat/completions", chat)
        assert completion["choices"][0]["message"]["content"] == "You said: asked over http"
        assert completion["usage"]["total_tokens"] == 0
    assert len(provider.calls("asked over http")) == 4


async def test_only_its_own_tenant_deletes_an_entry(
    settings: Settings, door: RunningDoor, provider: ProviderThread
) -> None:
    async with tenant(settings, door, "acme") as acme, tenant(settings, door, "other") as other:
        hit = cache_of(await acme.ask_until_stored("to be deleted"))
        assert hit is not None
        path = f"/v1/cache/{hit['entry']}"
        assert (await other.send("DELETE", path))[1]["deleted"] is False
        assert cache_of(await acme.ask("to be deleted")) is not None
        assert await acme.send("DELETE", path) == (
            200,
            {"id": hit["entry"], "deleted": True, "object": "cache.entry"},
        )
        assert cache_of(await acme.ask("to be deleted")) is None
        for nothing in ("cache_1", "cache_" + "g" * 32, "else"):
            assert (await acme.send("DELETE", f"/v1/cache/{nothing}"))[0] == 404


async def test_a_wrong_hit_is_reported_by_its_response_and_the_complaint_is_kept(
    settings: Settings, door: RunningDoor, command: Command
) -> None:
    async with tenant(settings, door, "acme") as acme, tenant(settings, door, "other") as other:
        hit = await acme.ask_until_stored("reported as wrong")
        path = f"/v1/cache/{hit['id']}/report"
        assert (await other.send("POST", path))[0] == 404
        assert (await acme.send("POST", path, {"comments": "?"}))[0] == 400
        status, dropped = await acme.send("POST", path, {"comment": "Not what I asked."})
        assert (status, dropped["deleted"]) == (200, True)
        again = await acme.ask("reported as wrong")
        assert cache_of(again) is None
        assert (await acme.send("POST", f"/v1/cache/{again['id']}/report"))[0] == 404
    shown = await command("reports", "--tenant", "acme", "--json")
    (complaint,) = json.loads(shown)
    assert complaint["comment"] == "Not what I asked."
    assert complaint["response_id"] == hit["id"]


async def test_negative_feedback_on_a_stored_answer_withdraws_it_and_a_judges_does_not(
    settings: Settings, door: RunningDoor
) -> None:
    async with tenant(settings, door, "acme") as acme:
        hit = await acme.ask_until_stored("judged by somebody")
        path = f"/v1/responses/{hit['id']}/feedback"
        bad = {"name": "helpful", "value": "bad"}
        for harmless in ({**bad, "source": "judge:tone"}, {**bad, "value": "good"}):
            assert (await acme.send("POST", path, harmless))[0] == 200
        again = await acme.ask("judged by somebody")
        assert cache_of(again) is not None
        assert (await acme.send("POST", path, bad))[0] == 200
        assert cache_of(await acme.ask("judged by somebody")) is None


async def test_a_tenant_and_an_operator_forget_everything(
    settings: Settings, door: RunningDoor, command: Command
) -> None:
    async with tenant(settings, door, "acme") as acme:
        hit = cache_of(await acme.ask_until_stored("all of it"))
        assert hit is not None
        words = ("show", hit["entry"], "--tenant", "acme", "--json")
        assert json.loads(await command(*words))["text"] == "You said: all of it"
        status, told = await acme.send("DELETE", "/v1/cache")
        assert (status, told["object"]) == (200, "cache")
        assert told["entries"] >= 1
        assert cache_of(await acme.ask_until_stored("all of it")) is not None
        said = await command("invalidate", "--tenant", "acme")
        assert said.startswith("Invalidated: ")
        assert cache_of(await acme.ask("all of it")) is None

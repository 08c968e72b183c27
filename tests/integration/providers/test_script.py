"""The scripted provider is steered and asked over HTTP, from any process."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def statuses(
    session: aiohttp.ClientSession, provider: ScriptedProvider, *calls: tuple[str, str]
) -> list[int]:
    found = []
    for model, content in calls:
        body = {"model": model, "messages": [{"role": "user", "content": content}]}
        async with session.post(f"{provider.openai_url}/chat/completions", json=body) as response:
            found.append(response.status)
    return found


async def post_script(
    session: aiohttp.ClientSession, provider: ScriptedProvider, rules: object
) -> tuple[int, dict[str, object]]:
    async with session.post(f"{provider.url}/script", json=rules) as response:
        return response.status, await response.json()


async def test_a_rule_counts_its_times_and_then_leaves_the_calls_alone(
    scripted: ScriptedProvider, session: aiohttp.ClientSession
) -> None:
    rule = {"behave": {"kind": "server_error", "status": 503, "times": 2}}
    assert await post_script(session, scripted, rule) == (200, {"rules": 1})

    assert await statuses(session, scripted, *[("m", "x")] * 4) == [503, 503, 200, 200]


async def test_the_first_rule_that_takes_a_call_decides(
    scripted: ScriptedProvider, session: aiohttp.ClientSession
) -> None:
    await post_script(
        session,
        scripted,
        [
            {"match": {"model": "a", "nth": 2}, "behave": {"kind": "unauthorised"}},
            {"match": {"contains": "poison"}, "behave": {"kind": "invalid_request"}},
            {"match": {"model": "a"}, "behave": {"kind": "server_error"}},
        ],
    )

    calls = [("a", "x"), ("a", "poison"), ("a", "poison"), ("b", "some poison"), ("b", "x")]
    assert await statuses(session, scripted, *calls) == [500, 401, 400, 400, 200]


async def test_deleting_the_script_makes_it_honest_again(
    scripted: ScriptedProvider, session: aiohttp.ClientSession
) -> None:
    scripted.script(Behaviour(kind=Kind.SERVER_ERROR))
    await session.delete(f"{scripted.url}/script")

    assert await statuses(session, scripted, ("m", "x")) == [200]


async def test_an_answer_can_be_cut_into_pieces_of_any_size(
    scripted: ScriptedProvider, session: aiohttp.ClientSession
) -> None:
    scripted.script(Behaviour(text="one two", piece_characters=3))
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "x"}]
    body = {"model": "m", "stream": True, "messages": messages}
    async with session.post(f"{scripted.openai_url}/chat/completions", json=body) as response:
        told = await response.text()

    pieces = [told.index(f'"content":"{piece}"') for piece in ("one", " tw", "o")]
    assert pieces == sorted(pieces)
    assert [call.instructions for call in scripted.calls] == ["Be brief."]


@pytest.mark.parametrize(
    "rule",
    [
        {"behave": {"kind": "explode"}},
        {"behave": {"kind": "answer", "second": 1}},
        {"match": {"modell": "a"}, "behave": {"kind": "answer"}},
        {"behave": {"kind": "latency", "seconds": -1}},
        "hang",
    ],
)
async def test_a_script_with_a_mistake_is_refused(
    scripted: ScriptedProvider, session: aiohttp.ClientSession, rule: object
) -> None:
    status, answer = await post_script(session, scripted, rule)

    assert status == 400
    assert answer["error"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"model": "m"}', b'{"model":1,"messages":[]}']
)
async def test_a_request_with_a_mistake_is_an_error_of_the_wire_format(
    scripted: ScriptedProvider, session: aiohttp.ClientSession, body: bytes
) -> None:
    async with session.post(f"{scripted.url}/v1/messages", data=body) as response:
        assert response.status == 400
        assert (await response.json())["error"]["type"] == "invalid_request_error"


async def test_the_log_counts_calls_by_model_and_content(
    scripted: ScriptedProvider, session: aiohttp.ClientSession
) -> None:
    await statuses(session, scripted, ("a", "x"), ("a", "y"), ("b", "x"))

    async with session.get(f"{scripted.url}/calls") as response:
        log = await response.json()
    assert log["count"] == 3
    assert log["by_model"] == {"a": 2, "b": 1}
    assert log["by_content"] == {"x": 2, "y": 1}
    assert [call["ending"] for call in log["calls"]] == ["served"] * 3
    assert log["calls"][0]["at"] <= log["calls"][2]["at"]


async def test_it_runs_on_its_own_and_ends_on_sigterm_in_the_middle_of_a_call(
    session: aiohttp.ClientSession,
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.scripted_provider", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            url = (await process.stdout.readline()).decode().strip()
            await session.post(f"{url}/script", json={"behave": {"kind": "hang"}})
            body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
            call = asyncio.create_task(session.post(f"{url}/v1/chat/completions", json=body))
            while (await (await session.get(f"{url}/calls")).json())["in_flight"] == 0:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            with pytest.raises(aiohttp.ClientError):
                await call
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

"""A worker process whose provider has a deployment that is well and one whose server is away."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from deploy.cli.__main__ import DONE, run
from shared.messages.state import ResponseState
from shared.redis.client import open_redis
from tests.integration.conftest import OneMachine
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, eventually
from tests.integration.workers.stack import Stack
from workers.providers.deployments.standing import read_standing

QUESTION = "Which of you is this?"


@pytest.fixture(scope="module")
def stack(provider: ProviderThread, one_machine: OneMachine) -> Stack:
    deployments = [
        {"name": "well", "base_url": provider.url, "api_key_env": "KEY_OF_WELL"},
        {"name": "away", "base_url": "http://127.0.0.1:9/v1", "api_key_env": "KEY_OF_AWAY"},
    ]
    link = {"name": "primary", "kind": "openai_compatible", "model": "scripted"}
    return one_machine(
        link | {"max_tries": 1, "deployments": deployments},
        KEY_OF_WELL="sk-well",
        KEY_OF_AWAY="sk-away",
        FOREBAY_CACHING__EXACT="true",
    )


async def test_a_message_says_which_one_answered_and_a_hit_counts_nothing(
    stack: Stack,
    road: Road,
    worker: AgentWorker,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = await road.ended(await road.accept(QUESTION, body={"temperature": 0}))
    again = await road.ended(await road.accept(QUESTION, body={"temperature": 0}))
    ended = [first, again]
    while "away" not in {row.deployment for each in ended for row in await road.attempts(each)}:
        # The first is chosen by chance.
        ended.append(await road.ended(await road.accept(f"And {len(ended)}?")))

    assert {each.state for each in ended} == {ResponseState.COMPLETED}
    assert first.answered_by == again.answered_by == "primary"
    assert await road.attempts(again) == []
    attempts = [row for each in ended for row in await road.attempts(each)]
    assert {(row.provider, row.deployment, row.error_class) for row in attempts} == {
        ("primary", "well", None),
        ("primary", "away", "connection"),
    }

    async with open_redis(stack.settings.redis) as redis:

        async def nothing_is_counted() -> bool:
            standing = await read_standing(redis, "primary", "scripted")
            counts = {name: (each.calls, each.tokens) for name, each in standing.items()}
            return counts == {"well": (0, 0), "away": (0, 0)}

        await eventually(nothing_is_counted, "the end of what is under way")

    monkeypatch.chdir(tmp_path)
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    assert await asyncio.to_thread(run, ["providers", "--json"]) == DONE
    well, away = json.loads(capsys.readouterr().out)
    assert (well["name"], well["deployment"], well["classes"]) == (
        "primary@well/scripted",
        "well",
        {},
    )
    assert (away["name"], away["taken"]) == ("primary@away/scripted", 0)
    assert (well["calls_in_flight"], well["tokens_in_flight"]) == (0, 0)
    assert await asyncio.to_thread(run, ["show", first.id]) == DONE
    assert "primary@well" in capsys.readouterr().out

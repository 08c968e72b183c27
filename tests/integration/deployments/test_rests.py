"""Deployments that refuse, are limited, or are away: who rests, how long, and who is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from shared.messages.item import MessageItem, Role
from shared.settings.secret import Secret
from tests.integration.deployments.fleet import NAMES, PROMPT, Fleet
from workers.providers.provider import Prompt

UNAUTHORISED = Behaviour(kind=Kind.UNAUTHORISED)


@pytest.mark.parametrize("kind", [Kind.UNAUTHORISED, Kind.OUT_OF_CREDIT])
async def test_a_dead_key_costs_one_call_and_no_message(fleet: Fleet, kind: Kind) -> None:
    fleet.servers["north"].script(Behaviour(kind=kind))
    workers = [fleet.worker(max_tries=1), fleet.worker(max_tries=1)]

    results = [await worker.ask() for worker in workers for _ in range(12)]

    assert {result.provider for result in results} == {"primary"}
    assert fleet.calls()["north"] == 1
    assert (await fleet.standing())["north"].refused_seconds > 0


async def test_one_call_at_a_time_finds_out_whether_a_key_is_good_again(fleet: Fleet) -> None:
    north, worker = fleet.servers["north"], fleet.worker()
    north.script(Behaviour(kind=Kind.UNAUTHORISED, seconds=0.2, times=2))
    while not fleet.calls()["north"]:
        await worker.ask()

    await fleet.let_its_rest_end("north")
    await asyncio.gather(*(worker.ask() for _ in range(10)))
    assert fleet.calls()["north"] == 2
    # Longer than the first time.
    assert (await fleet.standing())["north"].refused_seconds > 30

    await fleet.let_its_rest_end("north")
    await worker.ask()
    assert fleet.calls()["north"] == 3
    assert (await fleet.standing())["north"].refused_seconds == 0
    await asyncio.gather(*(worker.ask() for _ in range(9)))
    assert fleet.calls()["north"] >= 5


async def test_another_key_has_not_been_refused(fleet: Fleet) -> None:
    fleet.servers["north"].script(Behaviour(kind=Kind.UNAUTHORISED, times=1))
    worker = fleet.worker(deployments={"north": {"api_key": Secret("sk-dead"), "api_key_env": "N"}})
    while not fleet.calls()["north"]:
        await worker.ask()
    assert (await fleet.standing())["north"].refused_seconds > 0

    mended = fleet.worker(deployments={"north": {"api_key": Secret("sk-new"), "api_key_env": "N"}})
    await asyncio.gather(*(mended.ask() for _ in range(9)))

    assert fleet.calls()["north"] >= 3
    assert (await fleet.standing())["north"].refused_seconds == 0


async def test_what_is_forbidden_to_one_request_is_no_dead_key(fleet: Fleet) -> None:
    for server in fleet.servers.values():
        server.script(
            Behaviour(kind=Kind.UNAUTHORISED, status=403), model="large", contains="forbidden"
        )
    worker = fleet.worker(spare=True)
    forbidden = Prompt(items=(MessageItem(Role.USER, "what is forbidden"),))

    for _ in range(3):
        result = await worker.ask(forbidden)
        assert {each.deployment for each in result.attempts} == {*NAMES, None}
        assert await worker.asked() in NAMES


async def test_a_key_is_dead_that_forbids_what_another_one_allows(fleet: Fleet) -> None:
    fleet.servers["north"].script(Behaviour(kind=Kind.UNAUTHORISED, status=403))
    worker = fleet.worker()

    results = [await worker.ask() for _ in range(20)]

    assert {result.provider for result in results} == {"primary"}
    assert fleet.calls()["north"] == 1


async def test_keys_that_are_all_dead_leave_the_message_to_the_next_provider(fleet: Fleet) -> None:
    for server in fleet.servers.values():
        server.script(UNAUTHORISED, model="large")
    worker = fleet.worker(spare=True)

    first, second = await worker.ask(), await worker.ask()

    assert [each.error_class for each in first.attempts] == [*["unauthorised"] * 3, None]
    assert {each.deployment for each in first.attempts[:3]} == set(NAMES)
    assert [each.error_class for each in second.attempts] == ["unauthorised", None]
    assert second.attempts[0].deployment is None
    assert [server.calls.by_model["large"] for server in fleet.servers.values()] == [1, 1, 1]


async def test_a_rate_limit_rests_one_deployment_alone(fleet: Fleet) -> None:
    limited = Behaviour(kind=Kind.RATE_LIMITED, retry_after_seconds=30)
    fleet.servers["north"].script(limited)
    workers = [fleet.worker(max_tries=1), fleet.worker(max_tries=1)]

    results = await asyncio.gather(*(worker.ask() for worker in workers for _ in range(6)))
    calls = fleet.calls()["north"]
    results += [await worker.ask() for worker in workers for _ in range(12)]

    assert {result.provider for result in results} == {"primary"}
    assert fleet.calls()["north"] == calls
    standing = await fleet.standing()
    assert 0 < standing["north"].cooling_seconds <= 30
    assert standing["south"].cooling_seconds == standing["west"].cooling_seconds == 0


async def test_a_shorter_rest_that_is_asked_for_later_ends_no_longer_one(fleet: Fleet) -> None:
    north = fleet.servers["north"]
    workers = [fleet.worker() for _ in range(9)]
    for worker in workers:
        await worker.ask()  # all are connected, and ask at the same time below
    before = fleet.calls()["north"]
    north.script(Behaviour(kind=Kind.RATE_LIMITED, seconds=0.8, retry_after_seconds=30, times=1))
    north.script(Behaviour(kind=Kind.RATE_LIMITED, seconds=1.2, retry_after_seconds=1))
    for name in ("south", "west"):
        fleet.servers[name].script(Behaviour(kind=Kind.LATENCY, seconds=0.8))

    await asyncio.gather(*(worker.ask() for worker in workers))

    assert fleet.calls()["north"] >= before + 2
    assert (await fleet.standing())["north"].cooling_seconds > 1


async def test_limits_that_all_share_are_waited_for_and_not_hammered(fleet: Fleet) -> None:
    for name, server in fleet.servers.items():
        seconds = 3 if name == "west" else 60
        server.script(Behaviour(kind=Kind.RATE_LIMITED, retry_after_seconds=seconds, times=1))
    worker = fleet.worker()

    result = await worker.ask()

    assert [each.error_class for each in result.attempts] == [*["rate_limited"] * 3, None]
    assert result.attempts[-1].deployment == "west"
    assert fleet.calls() == {"north": 1, "south": 1, "west": 2}


async def test_one_that_fails_at_once_draws_no_more_calls(fleet: Fleet) -> None:
    fleet.servers["north"].script(Behaviour(kind=Kind.SERVER_ERROR))
    for name in ("south", "west"):
        fleet.servers[name].script(Behaviour(kind=Kind.LATENCY, seconds=0.05))
    worker = fleet.worker(max_tries=1)

    left, providers = iter(range(60)), set()

    async def ask_on() -> None:
        for _ in left:
            providers.add((await worker.ask()).provider)

    await asyncio.gather(*(ask_on() for _ in range(6)))

    assert providers == {"primary"}
    assert fleet.calls()["north"] <= 5 + 6
    assert worker.breakers.breaker("primary@north", "large").refuses
    assert not worker.breakers.breaker("primary@south", "large").refuses


async def test_one_that_is_away_costs_no_message(fleet: Fleet) -> None:
    worker = fleet.worker(deployments={"north": {"base_url": "http://127.0.0.1:9/v1"}}, max_tries=1)

    results = [await worker.ask() for _ in range(20)]

    assert {result.provider for result in results} == {"primary"}
    assert max(len(result.attempts) for result in results) == 2


async def test_one_alone_is_tried_as_often_as_a_provider(fleet: Fleet) -> None:
    fleet.servers["north"].script(UNAUTHORISED)
    fleet.servers["south"].script(UNAUTHORISED)
    fleet.servers["west"].script(Behaviour(kind=Kind.SERVER_ERROR, times=2))
    worker = fleet.worker()

    result = await worker.ask()

    assert result.attempts[-1].deployment == "west"
    assert [server.calls.count for server in fleet.servers.values()] == [1, 1, 3]


async def test_after_its_rest_it_is_given_its_share_and_no_more(fleet: Fleet) -> None:
    north, worker = fleet.servers["north"], fleet.worker()
    north.script(Behaviour(kind=Kind.RATE_LIMITED, retry_after_seconds=60, times=1))
    for server in fleet.servers.values():
        server.script(Behaviour(kind=Kind.LATENCY, seconds=0.05))

    async def ask_on(left: Iterator[int]) -> None:
        for _ in left:
            await worker.ask(PROMPT)

    async def crowd(calls: int) -> None:
        left = iter(range(calls))
        await asyncio.gather(*(ask_on(left) for _ in range(12)))

    await crowd(100)
    refused = north.calls.count
    await fleet.let_its_rest_end("north")
    await crowd(200)

    assert north.calls.most_in_flight <= 8
    assert north.calls.count - refused > 50

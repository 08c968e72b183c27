"""A conversation stays where its beginning has been read, while that is well and has room."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict

from deploy.scripted_provider.behaviour import Behaviour, Kind
from shared.messages.item import MessageItem, Role
from tests.integration.deployments.fleet import NAMES, Fleet, talk
from workers.providers.provider import Prompt

LONG_WORDS = "It is told at the beginning of each. " * 150


async def test_a_conversation_has_one_deployment_whichever_worker_asks(fleet: Fleet) -> None:
    workers = [fleet.worker(), fleet.worker()]
    asked = defaultdict(set)

    for number in range(12):
        for worker in workers * 2:
            asked[number].add(await worker.asked(talk(f"conv_{number}")))

    assert {len(names) for names in asked.values()} == {1}
    assert set().union(*asked.values()) == set(NAMES)


async def test_it_moves_to_one_other_while_its_own_is_away_and_comes_back(fleet: Fleet) -> None:
    worker = fleet.worker()
    home = await worker.asked(talk("conv_a"))
    assert home is not None
    limited = Behaviour(kind=Kind.RATE_LIMITED, retry_after_seconds=60, times=1)
    fleet.servers[home].script(limited)

    away = [await worker.asked(talk("conv_a")) for _ in range(4)]
    assert (await fleet.standing())[home].cooling_seconds > 0
    await fleet.let_its_rest_end(home)

    assert len(set(away)) == 1
    assert away[0] != home
    assert await worker.asked(talk("conv_a")) == home


async def test_it_gives_way_where_its_own_has_too_much_to_do(fleet: Fleet) -> None:
    worker = fleet.worker()
    home = await worker.asked(talk("conv_a"))
    for server in fleet.servers.values():
        server.script(Behaviour(kind=Kind.LATENCY, seconds=0.3))

    crowd = Counter(await asyncio.gather(*(worker.asked(talk("conv_a")) for _ in range(30))))

    assert crowd.most_common(1)[0][0] == home
    assert len(crowd) >= 2
    assert await worker.asked(talk("conv_a")) == home


async def test_a_long_beginning_is_asked_where_it_was_read(fleet: Fleet) -> None:
    worker = fleet.worker()
    rules = MessageItem(Role.SYSTEM, LONG_WORDS)
    asked = defaultdict(set)

    for number in range(12):
        opening = MessageItem(Role.USER, f"Question {number}")
        for turn in range(3):
            later = [MessageItem(Role.ASSISTANT, "Yes."), MessageItem(Role.USER, "And?")] * turn
            asked[number].add(await worker.asked(Prompt(items=(rules, opening, *later))))

    assert {len(names) for names in asked.values()} == {1}
    assert set().union(*asked.values()) == set(NAMES)


async def test_who_is_asked_once_more_has_read_the_prompt_already(fleet: Fleet) -> None:
    """A field that its server does not know is left out, and the same one is asked again."""
    refuses = Behaviour(
        kind=Kind.INVALID_REQUEST, message="Unrecognized request argument: stream_options", times=1
    )
    for server in fleet.servers.values():
        server.script(refuses)
    worker = fleet.worker()

    result = await worker.ask()

    assert len(result.attempts) == 2
    assert len({each.deployment for each in result.attempts}) == 1

"""Door and workers on three hosts: cables are pulled, and the promise is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.account import settle_account
from tests.chaos.ground import Broker
from tests.chaos.traffic import open_traffic
from tests.integration.workers.road import eventually
from tests.integration.workers.stack import SHORT_LEASE_SECONDS
from tests.trials.hosts.far_ground import FarGround
from tests.trials.hosts.host_network import HostNetwork

MESSAGES = 400
pytestmark = pytest.mark.skipif(
    not HostNetwork.may_be_had(), reason="no network namespace may be made here"
)


@pytest.fixture(scope="module", params=list(Broker))
def ground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FarGround]:
    with FarGround(request.param, Path(tmp_path_factory.mktemp("hosts"))) as opened:
        yield opened


@pytest.mark.parametrize("part", ["door", "worker"])
async def test_every_message_ends_once_while_a_host_is_off_the_network(
    ground: FarGround, part: str
) -> None:
    known = ground.provider.count

    async def some_are_asked() -> bool:
        return ground.provider.count - known >= MESSAGES // 10

    async with open_traffic(ground) as traffic:
        posting = asyncio.create_task(traffic.post(MESSAGES, pause_seconds=0.02))
        await eventually(some_are_asked, "turns under way")
        host = ground.door_host if part == "door" else ground.worker_hosts[0]
        host.pull_cable()
        # Longer than a lease: what the worker holds is given to the other one meanwhile.
        await asyncio.sleep(3 * SHORT_LEASE_SECONDS)
        host.plug_in()
        await posting
        account = await settle_account(ground, traffic)
    print(f"\n{part}: {account}")
    assert account.violations == []
    assert account.completed == account.accepted == MESSAGES
    assert account.repeated_turns > 0 or part == "door"

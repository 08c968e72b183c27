"""An accepted message is answered exactly once or dead-lettered with a reason, whatever is killed.

One test for each kind of fault, on RabbitMQ and on Redis.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.chaos.account import settle_account
from tests.chaos.batch_account import settle_batches
from tests.chaos.batch_faults import BATCH_FAULTS
from tests.chaos.batch_traffic import LINES, WRONG, open_batch_traffic
from tests.chaos.faults import FAULTS
from tests.chaos.ground import Broker, Ground
from tests.chaos.traffic import Traffic, open_traffic
from tests.integration.workers.road import eventually

MESSAGES = 100
WASTED_SHARE_LIMIT = 1.0
"""A fault may cost every turn under way its call once more, never more than that."""


@pytest.fixture(scope="module", params=list(Broker))
def ground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    folder, is_rabbitmq = tmp_path_factory.mktemp("ground"), request.param is Broker.RABBITMQ
    rabbitmq = request.getfixturevalue("mortal_rabbitmq") if is_rabbitmq else None
    with Ground(request.param, folder, rabbitmq=rabbitmq) as opened:
        yield opened


@pytest.fixture
async def traffic(ground: Ground) -> AsyncIterator[Traffic]:
    async with open_traffic(ground) as opened:
        yield opened


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_accepted_message_ends_once(
    ground: Ground, traffic: Traffic, fault: str
) -> None:
    if fault == "kill_redis" and ground.broker is ground.redis:
        pytest.skip("It is the broker, and killed as such.")
    posting = asyncio.create_task(traffic.post(MESSAGES, pause_seconds=0.005))
    known = ground.provider.count
    await eventually(lambda: _some_are_asked(ground, known), "turns under way")
    await FAULTS[fault](ground)
    await posting
    account = await settle_account(ground, traffic)
    print(f"\n{fault}: {account}")
    assert account.violations == []
    assert account.accepted == MESSAGES
    assert account.completed == MESSAGES, "one fault exhausts nobody's attempts"
    assert account.wasted_share <= WASTED_SHARE_LIMIT
    for worker in ground.workers:
        await asyncio.to_thread(worker.wait_until_ready)
        assert worker.is_running


async def test_every_line_of_a_batch_ends_once_though_who_works_on_it_is_killed(
    ground: Ground, traffic: Traffic
) -> None:
    if ground.broker is ground.redis:
        pytest.skip("The ledger alone says how far a batch is; the soak does it on both brokers.")
    async with open_batch_traffic(ground) as batches:
        await batches.post(1)
        for fault in BATCH_FAULTS.values():
            await fault(ground)
        account = await settle_batches(ground, batches)
    print(f"\n{account}")
    assert account.violations == []
    assert (account.answered, account.in_error_files) == (LINES, WRONG)
    assert (await settle_account(ground, traffic)).violations == []


async def _some_are_asked(ground: Ground, known: int) -> bool:
    return ground.provider.count - known >= MESSAGES // 5

"""A door, a worker and an index behind them; a tenant, a client and a collection for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import openai
import pytest

from shared.clock import ManualClock, SystemClock
from shared.embeddings.opening import open_encoders
from shared.identifiers import new_id
from shared.index.collections.collection import Collection
from shared.messages.tenant import KeyScope
from shared.persistence.engine import open_database
from shared.persistence.key_records import KeyReach
from shared.persistence.tenants import TenantRepository
from shared.search.opening import open_vector_store
from tests.integration.conftest import OneMachine
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.retrieval.searched_index import SearchedIndex
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link

DAMS = {
    "dams.md": "# Morrow dam\n\nThe Morrow dam is 120 metres high. Greta Solberg built it in 1931.",
    "fish.md": "# Fish\n\nThe fish ladder beside the dam has 47 steps.",
}


@pytest.fixture(scope="module")
def stack(
    provider: ProviderThread, one_machine: OneMachine, tmp_path_factory: pytest.TempPathFactory
) -> Stack:
    return one_machine(
        openai_link(provider.url, "first"),
        openai_link(provider.url, "second"),
        FOREBAY_CACHING__EXACT="true",
        FOREBAY_INDEX__FOLDER=str(tmp_path_factory.mktemp("index")),
    )


@pytest.fixture(scope="module")
def door(stack: Stack, worker: AgentWorker) -> Iterator[RunningDoor]:
    with RunningDoor(stack.settings) as running:
        yield running


@pytest.fixture(autouse=True)
def script(provider: ProviderThread) -> None:
    """Each test writes its own."""
    provider.reset()


@pytest.fixture
async def index(stack: Stack) -> AsyncIterator[SearchedIndex]:
    """Of a tenant of its own, in the folder that the worker searches."""
    settings, clock = stack.settings, ManualClock(SystemClock().now())
    database, store = open_database(settings.ledger), open_vector_store(settings.index)
    tenant = await TenantRepository(database, clock).create(new_id("acme"))
    async with open_encoders(settings.embeddings) as encoders:
        yield SearchedIndex(tenant.id, database, clock, store, encoders)
    await store.close()
    await database.close()


@pytest.fixture
async def docs(index: SearchedIndex) -> Collection:
    collection = await index.collection()
    for path, text in DAMS.items():
        await index.put(collection, path, text)
    return collection


@pytest.fixture
def make_client(
    door: RunningDoor, index: SearchedIndex
) -> Callable[..., Awaitable[openai.AsyncOpenAI]]:
    """A client with a key of the tenant that shows what these may see."""

    async def make(*principals: str) -> openai.AsyncOpenAI:
        tenants = TenantRepository(index.database, SystemClock())
        owner = next(one for one in await tenants.all() if one.id == index.tenant)
        reach = KeyReach(principals or None)
        key = (await tenants.create_key(owner, scope=KeyScope.PRODUCER, reach=reach)).key
        return openai.AsyncOpenAI(api_key=key, base_url=f"{door.url}/v1", max_retries=0, timeout=60)

    return make


@pytest.fixture
async def client(
    make_client: Callable[..., Awaitable[openai.AsyncOpenAI]],
) -> AsyncIterator[openai.AsyncOpenAI]:
    async with await make_client() as opened:
        yield opened

"""The owner of an index's folder: killed, stopped, overrun, orphaned, attached to by others."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from shared.errors import InvalidRequest
from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.embedded.frames import MOST_BYTES
from shared.search.embedded.owner import MOST_WAITING
from shared.search.embedded.reaching import SOCKET
from shared.search.generation import Generation
from shared.search.point import Passage, Point, Scope, point_id
from shared.search.query import Where
from shared.search.vector_store import StoreBusy, StoreUnavailable
from tests.integration.search.conftest import gone, owner_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
GENERATION = Generation("g", text_dimensions=4, code_dimensions=4096)
ANY = Where()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One index for all: each test has a tenant of its own."""
    return tmp_path_factory.mktemp("index") / "deep"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(folder: Path) -> AsyncIterator[EmbeddedStore]:
    store = EmbeddedStore(folder)
    await store.create(GENERATION)
    yield store
    await store.close()
    assert not (folder / SOCKET).exists()


@pytest.fixture
def scope(request: pytest.FixtureRequest) -> Scope:
    return Scope(GENERATION.name, request.node.name)


def point(scope: Scope, name: object, code: list[float] | None = None) -> Point:
    passage = Passage("c", "d", "s", "p", "text", "prose", 1, f"word {name}")
    key = point_id(tenant=scope.tenant, source="s", document="d", key=str(name), ordinal=0)
    return Point(key, passage, text_vector=[1, 0, 0, 0], code_vector=code)


async def test_what_was_acknowledged_survives_the_kill_of_the_owner(
    store: EmbeddedStore, folder: Path, scope: Scope
) -> None:
    loop, acknowledged = asyncio.get_running_loop(), set[str]()
    kills = [400, 1600]
    lost = 0

    async def write(writer: int) -> None:
        nonlocal lost
        for number in range(30):
            written = [point(scope, f"{writer} {number} {each}") for each in range(20)]
            try:
                await store.upsert(scope, written)
            except StoreUnavailable:
                lost += 1
                continue
            acknowledged.update(each.id for each in written)
            if kills and len(acknowledged) >= kills[0]:
                kills.pop(0)
                owner = owner_of(folder)
                os.kill(owner, signal.SIGSTOP)  # whatever is asked now is not answered any more
                loop.call_later(0.05, os.kill, owner, signal.SIGKILL)

    await asyncio.gather(*(write(writer) for writer in range(4)))
    assert lost >= 2
    assert len(acknowledged) > 1600
    found: set[str] = set()
    page = await store.scroll(scope, ANY)
    while page.following is not None:
        found.update(page.ids)
        page = await store.scroll(scope, ANY, start=page.following)
    found.update(page.ids)
    assert acknowledged <= found


async def test_a_second_process_asks_the_same_owner(
    store: EmbeddedStore, folder: Path, scope: Scope
) -> None:
    await store.upsert(scope, [point(scope, 1)])
    owner = owner_of(folder)
    counted = await asyncio.to_thread(_count_elsewhere, folder, scope)
    assert counted == "1"
    assert owner_of(folder) == owner
    assert await store.count(scope, ANY) == 1


COUNT = """
import asyncio, sys
from pathlib import Path
from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.point import Scope
from shared.search.query import Where

async def main() -> None:
    store = EmbeddedStore(Path(sys.argv[1]))
    print(await store.count(Scope(sys.argv[2], sys.argv[3]), Where()), flush=True)
    if sys.argv[4] == "stay":
        await asyncio.Event().wait()
    await store.close()

asyncio.run(main())
"""


def _elsewhere(folder: Path, scope: Scope, then: str) -> list[str]:
    return [sys.executable, "-c", COUNT, str(folder), scope.generation, scope.tenant, then]


def _count_elsewhere(folder: Path, scope: Scope) -> str:
    return subprocess.check_output(_elsewhere(folder, scope, "go"), text=True, timeout=120).strip()


async def test_an_owner_ends_with_its_starter_and_the_next_call_starts_another(
    store: EmbeddedStore, folder: Path, scope: Scope
) -> None:
    await store.upsert(scope, [point(scope, 1)])
    await store.close()
    starter = await asyncio.create_subprocess_exec(
        *_elsewhere(folder, scope, "stay"), stdout=subprocess.PIPE
    )
    assert starter.stdout is not None
    assert await starter.stdout.readline() == b"1\n"
    owner = owner_of(folder)
    assert await store.count(scope, ANY) == 1
    assert owner_of(folder) == owner
    starter.kill()
    await starter.wait()
    await gone(owner)
    assert await store.count(scope, ANY) == 1
    assert owner_of(folder) != owner


async def test_an_overrun_owner_says_so_and_answers_what_it_took(
    store: EmbeddedStore, folder: Path, scope: Scope
) -> None:
    await store.upsert(scope, [point(scope, 1)])
    owner = owner_of(folder)
    os.kill(owner, signal.SIGSTOP)
    asked = [asyncio.create_task(store.count(scope, ANY)) for _ in range(5 * MOST_WAITING)]
    await asyncio.sleep(0)  # each has written its call
    os.kill(owner, signal.SIGCONT)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    busy = [each for each in answers if isinstance(each, StoreBusy)]
    assert len(busy) + answers.count(1) == len(asked)
    assert answers.count(1) >= MOST_WAITING
    assert len(busy) >= MOST_WAITING
    assert await store.count(scope, ANY) == 1


async def test_a_call_ends_in_time_and_is_not_begun_after_it(
    store: EmbeddedStore, folder: Path, scope: Scope
) -> None:
    hasty = EmbeddedStore(folder, deadline_seconds=0.3)
    assert await store.count(scope, ANY) == 0
    counted = None
    while counted is None:  # a busy machine may be late once
        with suppress(StoreUnavailable):
            counted = await hasty.count(scope, ANY)
    assert counted == 0
    owner = owner_of(folder)
    os.kill(owner, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match=r"within 0\.3 s"):
        await hasty.upsert(scope, [point(scope, 1)])
    assert time.monotonic() - began < 60
    os.kill(owner, signal.SIGCONT)
    assert await store.count(scope, ANY) == 0
    await hasty.close()


async def test_what_is_no_call_harms_nobody_else(
    store: EmbeddedStore, folder: Path, scope: Scope
) -> None:
    await store.upsert(scope, [point(scope, 1)])
    owner = owner_of(folder)
    for sent in (
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">IQ", 2**32 - 1, 1) + b"x" * 1000,
        struct.pack(">IQ", 3, 1) + b"\xc1\xc1\xc1",
        struct.pack(">IQ", 0, 1),
        struct.pack(">IQ", 1000, 1) + b"half",
    ):
        reader, writer = await asyncio.open_unix_connection(folder / SOCKET)
        writer.write(sent)
        writer.write_eof()
        await reader.read()
        writer.close()
    assert await store.count(scope, ANY) == 1
    assert owner_of(folder) == owner


async def test_a_call_that_is_too_long_is_refused_before_it_is_sent(
    store: EmbeddedStore, scope: Scope
) -> None:
    vector = [0.1] * GENERATION.code_dimensions
    points = [point(scope, number, vector) for number in range(1000)]
    with pytest.raises(InvalidRequest, match=f"{MOST_BYTES} are allowed: send fewer points"):
        await store.upsert(scope, points)
    await store.upsert(scope, points[:100])
    assert await store.count(scope, ANY) == 100


async def test_nobody_else_reaches_the_index(store: EmbeddedStore, folder: Path) -> None:
    await store.generations()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / SOCKET).stat().st_mode) & 0o077 == 0
    with pytest.raises(InvalidRequest, match="too long for a socket"):
        EmbeddedStore(folder / ("x" * 100))


async def test_several_that_start_at_once_have_one_owner(tmp_path: Path) -> None:
    stores = [EmbeddedStore(tmp_path / "new") for _ in range(4)]
    assert await asyncio.gather(*(store.generations() for store in stores)) == [()] * 4
    owner = owner_of(tmp_path / "new")
    for store in stores[1:]:
        await store._connection.close()  # type: ignore[union-attr]
    assert await asyncio.gather(*(store.generations() for store in stores)) == [()] * 4
    assert owner_of(tmp_path / "new") == owner
    for store in stores:
        await store.close()
    await gone(owner)

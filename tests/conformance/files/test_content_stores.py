"""What every store of contents promises, on each of them and on both databases."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert

from shared.errors import Conflict, LedgerUnavailable
from shared.files.content_store import CHUNK_BYTES, ContentStore
from shared.files.database_content import DatabaseContent
from shared.files.tables import content
from shared.identifiers import CONTENT, new_id
from shared.persistence.engine import Database, open_database
from shared.persistence.statements import transaction
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

LATER = datetime(2100, 1, 1, tzinfo=UTC)
STORES = {"database": DatabaseContent}


class Ground:
    """A store as two processes see it, over a catalogue that says which contents there are."""

    def __init__(self, kind: str, here: Database, there: Database) -> None:
        self.here: ContentStore = STORES[kind](here)
        self.there: ContentStore = STORES[kind](there)
        self._database = here

    async def new_content(self) -> str:
        content_id = new_id(CONTENT)
        row = {"id": content_id, "tenant_id": "ten_1", "bytes": 0, "removable_at": LATER}
        async with transaction(self._database.durable) as connection:
            await connection.execute(insert(content).values(row))
        return content_id

    async def remove_content(self, content_id: str) -> None:
        async with transaction(self._database.durable) as connection:
            await connection.execute(delete(content).where(content.c.id == content_id))


@pytest.fixture(params=sorted(STORES))
async def ground(request: pytest.FixtureRequest, migrated_ledger_url: str) -> AsyncIterator[Ground]:
    settings = LedgerSettings(url=ServerUrl(migrated_ledger_url))
    here, there = open_database(settings), open_database(settings)
    yield Ground(request.param, here, there)
    await here.close()
    await there.close()


@pytest.mark.parametrize(
    "chunk",
    [b"", b"\0", b"\xff\xfe\0 \\x41 '\"", bytes(range(256)) * (CHUNK_BYTES // 256)],
    ids=["empty", "NUL", "no text", "a whole chunk"],
)
async def test_what_one_process_wrote_another_reads_byte_for_byte(
    ground: Ground, chunk: bytes
) -> None:
    content_id = await ground.new_content()
    await ground.here.write(content_id, 0, chunk)
    assert await ground.there.read(content_id, 0) == chunk


async def test_what_was_not_written_is_not_there(ground: Ground) -> None:
    content_id = await ground.new_content()
    await ground.here.write(content_id, 0, b"first")
    assert await ground.here.read(content_id, 1) is None
    assert await ground.here.read("cont_unknown", 0) is None


async def test_contents_are_apart(ground: Ground) -> None:
    one, other = await ground.new_content(), await ground.new_content()
    await ground.here.write(one, 0, b"one")
    await ground.there.write(other, 0, b"other")
    assert await ground.here.delete(one, limit=5) == 1
    assert await ground.there.read(one, 0) is None
    assert await ground.here.read(other, 0) == b"other"


async def test_chunks_are_removed_a_few_at_a_time_until_fewer_than_asked_for_were_left(
    ground: Ground,
) -> None:
    content_id = await ground.new_content()
    for ordinal in range(7):
        await ground.here.write(content_id, ordinal, b"%d" % ordinal)
    assert [await ground.there.delete(content_id, limit=3) for _ in range(4)] == [3, 3, 1, 0]
    assert await ground.here.read(content_id, 6) is None


async def test_nothing_is_added_to_a_content_that_was_removed(ground: Ground) -> None:
    content_id = await ground.new_content()
    await ground.here.write(content_id, 0, b"in time")
    assert await ground.there.delete(content_id, limit=10) == 1
    await ground.remove_content(content_id)
    with pytest.raises(Conflict):
        await ground.here.write(content_id, 1, b"late")
    assert await ground.here.read(content_id, 1) is None


async def test_a_chunk_is_written_once(ground: Ground) -> None:
    content_id = await ground.new_content()
    await ground.here.write(content_id, 0, b"first")
    with pytest.raises(Conflict):
        await ground.there.write(content_id, 0, b"second")
    assert await ground.here.read(content_id, 0) == b"first"


async def test_many_write_and_read_at_once(ground: Ground) -> None:
    async def keep(number: int) -> None:
        content_id, chunks = await ground.new_content(), [os.urandom(1_000) for _ in range(4)]
        for ordinal, chunk in enumerate(chunks):
            await (ground.here, ground.there)[ordinal % 2].write(content_id, ordinal, chunk)
        assert [await ground.there.read(content_id, each) for each in range(4)] == chunks

    await asyncio.gather(*(keep(number) for number in range(16)))


@pytest.mark.parametrize("kind", sorted(STORES))
async def test_a_store_that_is_away_says_so(kind: str) -> None:
    url = ServerUrl("postgresql+psycopg://forebay@127.0.0.1:1/none")
    away = open_database(LedgerSettings(url=url, timeout_seconds=0.5))
    store: ContentStore = STORES[kind](away)
    for asking in (
        store.write("cont_1", 0, b""),
        store.read("cont_1", 0),
        store.delete("c", limit=1),
    ):
        with pytest.raises(LedgerUnavailable):
            await asking
    await away.close()

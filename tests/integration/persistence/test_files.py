"""Files and contents: kept once, counted once, gone with the last name and with their time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import insert

from shared.clock import ManualClock
from shared.errors import Conflict, TooLarge
from shared.files.content_store import CHUNK_BYTES
from shared.files.stored_file import FileLabel, FilePurpose, StoredFile
from shared.files.tables import stored_file
from shared.files.tenant_storage import TenantStorage
from shared.persistence.engine import Database
from shared.persistence.statements import transaction

from .shelf import LABEL, LIMIT, LONG, QUOTA, Shelf, body, shelf_on


@pytest.fixture
async def shelf(database: Database, clock: ManualClock) -> AsyncIterator[Shelf]:
    return shelf_on(database, clock)


@pytest.mark.parametrize("size", [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, LIMIT])
async def test_a_file_is_read_as_it_was_written(shelf: Shelf, size: int) -> None:
    sent = body(size)
    file = await shelf.keep(sent)
    assert (file.bytes, file.filename) == (size, "a.bin")
    assert await shelf.catalogue.find(file.id, tenant_id="ten_1") == file
    assert await shelf.read(file) == sent
    assert await shelf.rows() == {
        "file": 1,
        "content": 1,
        "content_chunk": -(-size // CHUNK_BYTES),
    }


async def test_another_tenants_files_do_not_exist(shelf: Shelf) -> None:
    file = await shelf.keep(b"mine")
    assert await shelf.catalogue.find(file.id, tenant_id="ten_2") is None
    assert not await shelf.catalogue.delete(file.id, tenant_id="ten_2")
    assert await shelf.catalogue.list("ten_2", limit=10) == []
    assert await shelf.catalogue.find(file.id, tenant_id="ten_1") == file


async def test_equal_content_is_kept_once_in_each_tenant(shelf: Shelf, clock: ManualClock) -> None:
    sent = body(CHUNK_BYTES + 5)
    files = [await shelf.keep(sent) for _ in range(3)]
    other = await shelf.keep(sent, tenant="ten_2")
    assert len({file.id for file in files}) == 3
    assert len({file.content_id for file in files}) == 1
    assert other.content_id != files[0].content_id
    assert await shelf.used() == len(sent)
    clock.advance(LONG)
    await shelf.sweeps.remove()
    assert await shelf.rows() == {"file": 4, "content": 2, "content_chunk": 4}
    for file in (*files, other):
        assert await shelf.read(file) == sent


async def test_content_goes_with_the_last_file_that_names_it_and_not_before(
    shelf: Shelf, clock: ManualClock
) -> None:
    sent = body(3 * CHUNK_BYTES)
    first, last = await shelf.keep(sent), await shelf.keep(sent)
    assert await shelf.catalogue.delete(first.id, tenant_id="ten_1")
    clock.advance(LONG)
    assert await shelf.sweeps.remove() == 1  # the second upload's own copy
    assert await shelf.read(last) == sent
    assert await shelf.catalogue.delete(last.id, tenant_id="ten_1")
    assert not await shelf.catalogue.delete(last.id, tenant_id="ten_1")
    assert await shelf.used() == 0
    assert await shelf.sweeps.remove() == 0, "whoever reads it may end"
    assert await shelf.read(last) == sent
    clock.advance(LONG)
    assert await shelf.sweeps.remove() == 1
    assert await shelf.rows() == {"file": 0, "content": 0, "content_chunk": 0}


async def test_what_expires_is_not_there_from_that_moment_and_is_swept(
    shelf: Shelf, clock: ManualClock
) -> None:
    brief = FileLabel("b", FilePurpose.VISION, timedelta(hours=1))
    expiring, staying = await shelf.keep(b"brief", label=brief), await shelf.keep(b"stays")
    batch = await shelf.keep(b"batch", label=FileLabel("c", FilePurpose.BATCH))
    assert batch.expires_at == clock.now() + timedelta(days=30)
    assert staying.expires_at is None
    clock.advance(3_599)
    assert await shelf.sweeps.expire() == 0
    assert await shelf.catalogue.find(expiring.id, tenant_id="ten_1") == expiring
    clock.advance(1)
    assert await shelf.catalogue.find(expiring.id, tenant_id="ten_1") is None
    assert await shelf.catalogue.list("ten_1", limit=10) == [batch, staying]
    assert await shelf.sweeps.expire() == 1
    clock.advance(timedelta(days=30).total_seconds())
    assert await shelf.sweeps.expire() == 1
    assert await shelf.sweeps.remove() == 1
    assert await shelf.used() == len(b"stays")


async def test_what_was_cut_off_is_removed_and_counts_for_nothing(
    shelf: Shelf, clock: ManualClock
) -> None:
    given_up, forgotten = await shelf.begin(body(LIMIT)), await shelf.begin(body(CHUNK_BYTES))
    await given_up.abandon()
    assert await shelf.used() == 0
    clock.advance(120)
    assert await shelf.sweeps.remove() == 1
    assert (await shelf.rows())["content_chunk"] == 1
    clock.advance(LONG)
    assert await shelf.sweeps.remove() == 1
    assert await shelf.rows() == {"file": 0, "content": 0, "content_chunk": 0}
    with pytest.raises(Conflict, match="stood still"):
        await forgotten.finish(LABEL)


async def test_an_upload_may_take_as_long_as_it_goes_on(shelf: Shelf, clock: ManualClock) -> None:
    upload = await shelf.uploads.begin("ten_1")
    for _ in range(4):
        clock.advance(LONG / 3)
        await upload.write(body(CHUNK_BYTES))
        assert await shelf.sweeps.remove() == 0
    assert (await upload.finish(LABEL)).bytes == 4 * CHUNK_BYTES


async def test_an_upload_that_stood_still_is_refused_even_before_it_is_swept(
    shelf: Shelf, clock: ManualClock
) -> None:
    writing, ending = await shelf.uploads.begin("ten_1"), await shelf.begin(b"all")
    clock.advance(LONG)
    with pytest.raises(Conflict):
        await writing.write(body(CHUNK_BYTES))
    with pytest.raises(Conflict):
        await ending.finish(LABEL)
    assert (await shelf.rows())["file"] == 0


async def test_a_file_above_its_limit_is_refused_with_the_first_byte_too_many(shelf: Shelf) -> None:
    upload = await shelf.begin(body(LIMIT))
    with pytest.raises(TooLarge, match=f"larger than {LIMIT} bytes"):
        await upload.write(b"x")


async def test_a_tenant_has_room_for_so_much_and_deleting_makes_room(shelf: Shelf) -> None:
    small, large = body(CHUNK_BYTES), body(LIMIT, seed=1)
    for sent in (small, large, small):  # the last takes no room
        await shelf.keep(sent)
    assert await shelf.used() == QUOTA - CHUNK_BYTES
    with pytest.raises(TooLarge, match=str(QUOTA)):
        await shelf.begin(body(CHUNK_BYTES + 1, seed=2))
    await shelf.keep(body(CHUNK_BYTES, seed=3))
    with pytest.raises(TooLarge):
        await shelf.uploads.begin("ten_1")
    await shelf.keep(large, tenant="ten_2")
    for file in await shelf.catalogue.list("ten_1", limit=10):
        if file.bytes == LIMIT:
            await shelf.catalogue.delete(file.id, tenant_id="ten_1")
    assert await shelf.used() == QUOTA - LIMIT
    await shelf.keep(body(LIMIT, seed=4))


async def test_uploads_side_by_side_take_no_more_room_than_there_is(shelf: Shelf) -> None:
    uploads = [await shelf.begin(body(2 * CHUNK_BYTES, seed=seed)) for seed in range(5)]
    ended = await asyncio.gather(
        *(upload.finish(LABEL) for upload in uploads), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in ended) == ["StoredFile"] * 3 + ["TooLarge"] * 2
    assert await shelf.used() == QUOTA


async def test_equal_content_that_arrives_and_goes_at_once_is_whole_or_gone(
    shelf: Shelf, clock: ManualClock
) -> None:
    sent = body(CHUNK_BYTES + 1)

    async def come_and_go(stays: bool) -> StoredFile | None:
        file = await shelf.keep(sent)
        if stays:
            return file
        assert await shelf.catalogue.delete(file.id, tenant_id="ten_1")
        return None

    ended = await asyncio.gather(*(come_and_go(n % 4 == 0) for n in range(16)))
    clock.advance(LONG)
    while await shelf.sweeps.remove():
        pass
    staying = [file for file in ended if file]
    for file in staying:
        assert await shelf.read(file) == sent
    assert await shelf.used() == len(sent) * len({file.content_id for file in staying})
    for file in staying:
        await shelf.catalogue.delete(file.id, tenant_id="ten_1")
    assert await shelf.used() == 0


async def test_content_that_is_being_given_a_name_does_not_lose_its_last_one(
    shelf: Shelf, clock: ManualClock
) -> None:
    last = await shelf.keep(b"wanted")
    storage = TenantStorage(shelf.database)
    async with transaction(shelf.database.durable) as finishing:
        # As an upload of the same content ends: it has found it, and has not named it yet.
        await storage.lock(finishing, "ten_1")
        deleting = asyncio.create_task(shelf.catalogue.delete(last.id, tenant_id="ten_1"))
        assert not (await asyncio.wait({deleting}, timeout=0.5))[0], "it waits for the other"
        row = {name: getattr(last, name) for name in last.__struct_fields__}
        named = row | {"id": "file-new", "tenant_id": "ten_1"}
        await finishing.execute(insert(stored_file).values(named))
    assert await deleting
    clock.advance(LONG)
    assert await shelf.sweeps.remove() == 0
    assert await shelf.used() == len(b"wanted")
    assert await shelf.read(last) == b"wanted"


async def test_a_large_content_is_removed_over_several_rounds(
    shelf: Shelf, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.files.file_sweeps._CHUNKS_A_ROUND", 2)
    monkeypatch.setattr("shared.files.file_sweeps._CHUNKS_AT_ONCE", 1)
    file = await shelf.keep(body(3 * CHUNK_BYTES))
    await shelf.catalogue.delete(file.id, tenant_id="ten_1")
    clock.advance(LONG)
    rounds = [
        (await shelf.sweeps.remove(), (await shelf.rows())["content_chunk"]) for _ in range(3)
    ]
    assert rounds == [(0, 1), (1, 0), (0, 0)]


async def test_a_list_goes_on_behind_a_file_that_is_gone(shelf: Shelf) -> None:
    purposes = [FilePurpose.VISION, FilePurpose.BATCH] * 3
    kept = [
        await shelf.keep(b"%d" % number, label=FileLabel(f"{number}", purpose))
        for number, purpose in enumerate(purposes)
    ]
    files = sorted(kept, key=lambda file: file.id)  # some may be of one millisecond
    catalogue = shelf.catalogue
    assert await catalogue.list("ten_1", limit=10) == files[::-1]
    assert await catalogue.list("ten_1", newest_first=False, limit=2) == files[:2]
    batches = await catalogue.list("ten_1", purpose=FilePurpose.BATCH, limit=10)
    assert batches == [file for file in files[::-1] if file.purpose is FilePurpose.BATCH]
    await catalogue.delete(files[3].id, tenant_id="ten_1")
    assert await catalogue.list("ten_1", after=files[3].id, limit=2) == [files[2], files[1]]
    after = await catalogue.list("ten_1", after=files[3].id, newest_first=False, limit=9)
    assert after == files[4:]

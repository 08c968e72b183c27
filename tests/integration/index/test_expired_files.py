"""Files whose time is over leave every collection with the janitor's next round."""

from __future__ import annotations

from datetime import timedelta

from shared.clock import ManualClock
from shared.files.file_sweeps import FileSweeps
from shared.files.stored_file import FileLabel, FilePurpose
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.document import NewDocument
from shared.index.documents.of_files import FileDocuments
from shared.index.documents.posting import DocumentPosts
from shared.index.documents.reading import Documents
from shared.persistence.engine import Database
from tests.integration.persistence.shelf import shelf_on


async def test_an_expired_file_leaves_every_collection(
    database: Database, clock: ManualClock
) -> None:
    shelf = shelf_on(database, clock)
    brief = FileLabel("b.md", FilePurpose.USER_DATA, timedelta(hours=1))
    expiring, staying = await shelf.keep(b"brief", label=brief), await shelf.keep(b"stays")
    catalogue, posts = CollectionCatalogue(database, clock), DocumentPosts(database, clock)
    made = [(await catalogue.create("ten_1", name=name)).id for name in ("a", "deleted", "b")]
    for collection_id in made:
        for file in (expiring, staying):
            new = NewDocument(path=file.filename, digest="d", size_bytes=1, file_id=file.id)
            await posts.put("ten_1", collection_id, new)
    await catalogue.delete("ten_1", made[1])
    clock.advance(3_600)
    assert await shelf.sweeps.expire() == 1
    documents = Documents(database)
    for collection_id in (made[0], made[2]):
        left = await documents.list("ten_1", collection_id, limit=10)
        assert [each.file_id for each in left] == [staying.id]


async def test_a_file_that_is_put_in_while_it_expires_is_left_nowhere(
    database: Database, clock: ManualClock
) -> None:
    """By a door that looked it up before its time was over."""
    shelf = shelf_on(database, clock)
    brief = FileLabel("b.md", FilePurpose.USER_DATA, timedelta(hours=1))
    await shelf.keep(b"brief", label=brief)
    catalogue, posts = CollectionCatalogue(database, clock), DocumentPosts(database, clock)
    made = (await catalogue.create("ten_1", name="a")).id
    documents, taken = FileDocuments(database, clock), list[str]()

    async def late(tenant_id: str, file_id: str) -> None:
        await documents.remove(tenant_id, file_id)
        if not taken:
            new = NewDocument(path="b.md", digest="d", size_bytes=1, file_id=file_id)
            await posts.put(tenant_id, made, new)
        taken.append(file_id)

    clock.advance(3_600)
    assert await FileSweeps(database, shelf.store, clock, take_out=late).expire() == 1
    assert await Documents(database).list("ten_1", made, limit=10) == []

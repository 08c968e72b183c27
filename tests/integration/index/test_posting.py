"""Documents that callers post, label and remove."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import NotFound
from shared.index.document import NewDocument
from shared.index.documents.changing import DocumentChanges
from shared.index.documents.posting import DocumentPosts
from shared.index.states import DocumentState

from .index_ledger import LEASE, TENANT, IndexLedger, key_of


class Desk:
    """A caller's side of the ledger."""

    def __init__(self, index: IndexLedger) -> None:
        self.posts = DocumentPosts(index.database, index.clock)
        self.changes = DocumentChanges(index.database, index.clock)
        self.place = (TENANT, index.collection.id)

    async def put(self, text: bytes = b"hello", **fields: Any) -> Any:
        given: dict[str, Any] = {
            "path": "a.md",
            "digest": str(text),
            "size_bytes": len(text),
            "body": text,
        }
        return await self.posts.put(*self.place, NewDocument(**(given | fields)))


@pytest.fixture
def desk(index: IndexLedger) -> Desk:
    return Desk(index)


async def test_a_posted_document_is_kept_with_its_text(index: IndexLedger, desk: Desk) -> None:
    put = await desk.put(attributes={"year": 2026, "is_open": True}, principals=("team:a",))
    assert (put.state, put.source, put.ver) == (DocumentState.PENDING, "posted", 1)
    assert put.attributes == {"year": 2026, "is_open": True}
    assert await index.documents.body(put) == b"hello"
    assert await index.documents.find(*desk.place, put.id) == put
    held = await index.one()
    assert held.id == put.id


async def test_the_same_text_again_changes_nothing(index: IndexLedger, desk: Desk) -> None:
    first = await desk.put()
    assert await desk.put() == first
    held = await index.one()
    assert await index.plan(held, "x")
    assert await index.finish(held, "x", digest=str(b"hello"))
    done = await desk.put()
    assert (done.state, done.ver) == (DocumentState.COMPLETED, 1)
    other = await desk.put(b"other")
    assert (other.state, other.ver, other.id) == (DocumentState.PENDING, 2, first.id)
    assert await index.documents.body(other) == b"other"
    assert (await desk.put(b"more")).ver == 3
    assert (await desk.put(b"more", chunking={"size": 9})).ver == 4


async def test_a_file_has_its_own_id(index: IndexLedger, desk: Desk) -> None:
    put = await desk.put(file_id="file-7", body=None, batch_id="vsfb_1")
    assert (put.id, put.source, put.batch_id) == ("file-7", "files", "vsfb_1")
    assert await index.documents.body(put) is None
    assert await desk.put(file_id="file-7", body=None, batch_id="vsfb_1") == put


async def test_labels_are_changed_without_work(index: IndexLedger, desk: Desk) -> None:
    indexed = await index.index("b.md", "x")
    named = await desk.changes.label(*desk.place, indexed.id, principals=["ann"])
    assert (named.principals, named.state, named.relabel) == (
        ("ann",),
        DocumentState.PENDING,
        True,
    )
    assert await index.edition() == 3
    assert named.is_searchable
    # Again, and with what it has: nothing.
    assert await desk.changes.label(*desk.place, indexed.id, principals=["ann"]) == named
    held = await index.one()
    assert held.relabel
    assert held.digest == indexed.digest
    assert await index.finish(held, chunks=None, digest=held.digest)
    after = await index.find("b.md")
    assert (after.relabel, after.state, after.passages) == (False, DocumentState.COMPLETED, 1)
    assert await index.edition() == 4
    # The stores know its chunks by the new ver, and delete them with no lower one.
    await desk.changes.remove(*desk.place, [indexed.id])
    await index.retired.drop_removed(limit=10)
    (gone,) = await index.retire()
    assert gone.ver > held.ver


async def test_labels_of_what_failed_are_in_its_row_alone(index: IndexLedger, desk: Desk) -> None:
    put = await desk.put()
    await index.indexing.fail(await index.one(), "broken", "It is broken.")
    labelled = await desk.changes.label(*desk.place, put.id, attributes={"a": 1.5})
    assert (labelled.state, labelled.attributes) == (DocumentState.FAILED, {"a": 1.5})


async def test_put_with_other_labels_labels(index: IndexLedger, desk: Desk) -> None:
    await desk.put()
    held = await index.one()
    await index.finish(held, digest=str(b"hello"))
    again = await desk.put(principals=("ann",))
    assert (again.relabel, again.ver, again.principals) == (True, 2, ("ann",))


async def test_a_removed_document_is_gone_at_once_and_then_everywhere(
    index: IndexLedger, desk: Desk
) -> None:
    put = await desk.put()
    held = await index.one()
    await index.plan(held, "x", "y")
    await index.finish(held, "x", "y")
    before = await index.edition()
    assert await desk.changes.remove(*desk.place, [put.id, "doc_none"]) == 1
    assert await desk.changes.remove(*desk.place, [put.id]) == 0
    assert await index.edition() == before + 1
    with pytest.raises(NotFound):
        await index.documents.find(*desk.place, put.id)
    assert await index.documents.list(*desk.place, limit=10) == []
    key = (index.collection.id, put.id)
    assert not (await index.documents.of(TENANT, [key]))[key].is_searchable
    assert await index.retired.drop_removed(limit=10) == 1
    assert await index.documents.of(TENANT, [key]) != {}
    assert {key_of(each.point_id) for each in await index.retire()} == {"x", "y"}
    assert await index.retired.drop_removed(limit=10) == 0
    index.clock.advance(1)
    assert await index.retired.drop_removed(limit=10) == 1
    assert await index.documents.of(TENANT, [key]) == {}
    assert await index.documents.body(put) is None


async def test_a_removed_document_waits_for_its_holder(index: IndexLedger, desk: Desk) -> None:
    put = await desk.put()
    held = await index.one()
    assert await index.plan(held, "x")
    await desk.changes.remove(*desk.place, [put.id])
    assert await index.retired.drop_removed(limit=10) == 0
    assert await index.retire() == []
    assert not await index.finish(held, "x")
    await index.claims.give_back([held])
    assert await index.retired.drop_removed(limit=10) == 1
    assert len(await index.retire()) == 1


async def test_what_was_removed_and_comes_again_is_indexed_anew(index: IndexLedger) -> None:
    desk = Desk(index)
    indexed = await index.index("b.md", "x")
    await desk.changes.remove(*desk.place, [indexed.id])
    await index.retired.drop_removed(limit=10)
    assert (await index.offer("b.md")).changed == 1
    index.clock.advance(1)
    held = await index.one()
    assert (held.digest, held.is_searchable) == (None, False)
    retired = await index.retired.retiring(limit=10)
    assert await index.plan(held, "x")
    await index.retired.forget(retired)
    assert await index.finish(held, "x")
    assert await index.current(held) == {"x"}


async def test_another_tenant_changes_nothing(index: IndexLedger, desk: Desk) -> None:
    put = await desk.put()
    place = ("ten_2", index.collection.id)
    with pytest.raises(NotFound):
        await desk.changes.remove(*place, [put.id])
    with pytest.raises(NotFound):
        await desk.changes.label(*place, put.id, principals=["eve"])
    with pytest.raises(NotFound):
        await desk.posts.put(*place, NewDocument(path="a", digest="", size_bytes=0))
    assert await index.documents.find(*desk.place, put.id) == put


async def test_a_lost_holder_of_a_removed_document_leaves_it_due(index: IndexLedger) -> None:
    desk = Desk(index)
    put = await desk.put()
    await index.one()
    await desk.changes.remove(*desk.place, [put.id])
    index.clock.advance(LEASE)
    assert await index.retired.drop_removed(limit=10) == 1

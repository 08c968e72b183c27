"""Documents that were posted, files that were uploaded, and the labels of both."""

from __future__ import annotations

import hashlib

import pytest

from shared.index.document import Document, NewDocument
from shared.index.documents.changing import DocumentChanges
from shared.index.documents.posting import DocumentPosts
from shared.search.query import Query, Where, Words
from tests.integration.indexer.pipeline.indexing_stage import IndexingStage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_is_posted_is_found(stage: IndexingStage) -> None:
    await post(stage, "notes.md", b"# Notes\n\nPosted by hand.\n")
    await stage.index()
    assert [path for path, *_ in await stage.found("posted")] == ["notes.md"]
    await stage.adds_up()


async def test_what_is_posted_anew_takes_the_place_of_the_old(stage: IndexingStage) -> None:
    await post(stage, "notes.md", b"Mallards.\n")
    await stage.index()
    await post(stage, "notes.md", b"Teals.\n", attributes={"edition": 2.0})
    await stage.index()

    assert await stage.found("mallards") == []
    assert await stage.found("teals") == [("notes.md", 1, 2)]
    await stage.adds_up()


async def test_labels_change_without_a_new_vector(stage: IndexingStage) -> None:
    document = await post(stage, "notes.md", b"For swans.\n")
    await stage.index()
    await stage.indexed()
    changes = DocumentChanges(stage.ground.database, stage.ground.clock)
    await changes.label(stage.tenant, stage.collection.id, document.id, principals=("user:a",))
    await stage.index()

    assert await stage.indexed() == []
    assert await readers_of(stage, "swans") == {("user:a",)}
    await stage.adds_up()


async def test_labels_of_what_stays_change_with_the_rest(stage: IndexingStage) -> None:
    stays = b"# One\n\n" + b"What stays. " * 150 + b"\n\n# Two\n\n"
    await post(stage, "notes.md", stays + b"Mallards.\n")
    await stage.index()
    await post(stage, "notes.md", stays + b"Teals.\n", principals=("user:a",))
    await stage.index()

    assert await readers_of(stage, "stays") == {("user:a",)}
    assert await readers_of(stage, "teals") == {("user:a",)}
    await stage.adds_up()


async def test_a_document_whose_file_is_gone_fails_and_says_so(stage: IndexingStage) -> None:
    posts = DocumentPosts(stage.ground.database, stage.ground.clock)
    gone = NewDocument(path="a.md", digest="0" * 64, size_bytes=1, file_id="file-gone")
    await posts.put(stage.tenant, stage.collection.id, gone)
    await stage.index()
    document = (await stage.documents())["a.md"]
    assert (document.state.value, document.error_code) == ("failed", "content_gone")


async def readers_of(stage: IndexingStage, words: str) -> set[tuple[str, ...]]:
    answer = await stage.ground.vectors.query(stage.scope, Query((Words(words),), None, Where()))
    hits = answer.apart[0] if answer.apart else answer.hits
    assert hits
    return {each.passage.principals for each in hits}


async def post(stage: IndexingStage, path: str, body: bytes, **labels: object) -> Document:
    posts = DocumentPosts(stage.ground.database, stage.ground.clock)
    digest = hashlib.sha256(body).hexdigest()
    new = NewDocument(path=path, digest=digest, size_bytes=len(body), body=body, **labels)  # type: ignore[arg-type]
    return await posts.put(stage.tenant, stage.collection.id, new)

"""Documents that are bad, change under way, or meet a server that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import numpy
import pytest

from shared.embeddings.encoder import EncodedMany, EncoderPrompt, EncoderUnavailable
from shared.search.vector_store import StoreUnavailable
from tests.integration.indexer.pipeline.indexing_stage import CountingEncoder, IndexingStage
from tests.integration.indexer.pipeline.pausing_store import PausingStore

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_one_bad_document_does_not_stop_the_others(stage: IndexingStage) -> None:
    stage.write("a.md", "Good.\n")
    stage.write("b.pdf", "%PDF-1.7 but for that no PDF")
    stage.write("c.md", "Good as well.\n")
    await stage.offer()
    await stage.index()

    documents = await stage.documents()
    assert {path: each.state.value for path, each in documents.items()} == {
        "a.md": "completed",
        "b.pdf": "failed",
        "c.md": "completed",
    }
    assert documents["b.pdf"].error_code == "unreadable"
    assert "PDF" in (documents["b.pdf"].reason or "")
    await stage.adds_up()


async def test_what_a_store_does_not_take_fails_alone(stage: IndexingStage) -> None:
    encoder = CrookedEncoder()
    crooked = stage.beside(encoders=stage.ground.encoders._replace(text=encoder, code=encoder))
    for number in range(5):
        stage.write(f"{number}.md", "crooked\n" if number == 2 else f"straight {number}\n")
    await stage.offer()
    await crooked.index()

    documents = await stage.documents()
    assert documents["2.md"].error_code == "store_refused"
    assert "not all zero" in (documents["2.md"].reason or "")
    assert {each.state.value for path, each in documents.items() if path != "2.md"} == {"completed"}
    await stage.adds_up()


async def test_a_store_that_was_away_gets_what_waited(
    stage: IndexingStage, store: PausingStore
) -> None:
    stage.write("a.md", "Patience.\n")
    await stage.offer()
    store.is_away = True
    assert await stage.machinery.pipeline.slice()
    document = (await stage.documents())["a.md"]
    assert (document.state.value, document.reason) == ("pending", "The store is away.")

    store.is_away = False
    await stage.until_indexed()
    document = (await stage.documents())["a.md"]
    assert (document.state.value, document.reason) == ("completed", None)
    await stage.adds_up()


async def test_an_outage_is_nobodys_attempt(stage: IndexingStage, store: PausingStore) -> None:
    stage.write("a.md", "Patience.\n")
    await stage.offer()
    store.is_away = True
    tried = 0
    while tried < 2 * stage.ground.settings.attempt_limit:
        tried += len(await stage.machinery.pipeline.slice())
        await asyncio.sleep(0.01)
    store.is_away = False
    await stage.until_indexed()
    assert (await stage.documents())["a.md"].state.value == "completed"


async def test_an_encoder_that_is_away_puts_documents_off(stage: IndexingStage) -> None:
    encoder = AwayEncoder()
    stage.write("a.md", "Patience.\n")
    await stage.offer()
    away = stage.beside(encoders=stage.ground.encoders._replace(text=encoder, code=encoder))
    await away.machinery.pipeline.slice()

    document = (await stage.documents())["a.md"]
    assert (document.state.value, document.reason) == ("pending", "No model today.")
    assert await stage.chunk_rows() == {}


async def test_a_document_that_changes_while_it_is_written_is_indexed_as_it_is(
    stage: IndexingStage, store: PausingStore
) -> None:
    store.before["upsert"] = await _offered_anew(stage)
    await stage.index()

    assert await stage.found("mallards") == []
    assert [path for path, *_ in await stage.found("teals")] == ["a.md"]
    await stage.adds_up()


async def test_a_document_that_changes_after_it_was_written_leaves_no_orphan(
    stage: IndexingStage, store: PausingStore
) -> None:
    store.after["upsert"] = await _offered_anew(stage)
    await stage.index()
    assert await stage.found("mallards") == []
    await stage.adds_up()


async def test_a_file_that_changes_before_it_is_read_again_leaves_no_orphan(
    stage: IndexingStage, store: PausingStore
) -> None:
    stage.write("a.md", "Mallards.\n")
    await stage.offer()

    async def change() -> None:
        stage.write("a.md", "Teals.\n")  # and no scan sees it
        raise StoreUnavailable("It died of that.", retry_after_seconds=0.01)

    store.after["upsert"] = change
    await stage.machinery.pipeline.slice()
    await stage.until_indexed()

    assert await stage.found("mallards") == []
    await stage.adds_up()


async def test_who_is_told_to_stop_gives_back_at_once(
    stage: IndexingStage, store: PausingStore
) -> None:
    reached, never = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        reached.set()
        await never.wait()

    store.before["upsert"] = wait
    stage.write("a.md", "Stopped.\n")
    await stage.offer()
    working = asyncio.create_task(stage.machinery.pipeline.slice())
    await reached.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    document = (await stage.documents())["a.md"]
    assert (document.state.value, document.claimed_by) == ("pending", None)
    await stage.index()
    await stage.adds_up()


async def test_who_lost_its_lease_writes_nothing(stage: IndexingStage, store: PausingStore) -> None:
    stage.write("a.md", "Late.\n")
    await stage.offer()
    holding = stage.machinery.holding
    holding._monotonic = Hurrying()  # the next look at the clock is an hour later
    await stage.machinery.pipeline.slice()

    assert "upsert" not in store.calls
    assert (await stage.documents())["a.md"].state.value == "pending"


class Hurrying:
    """A clock on which an hour passes between two looks."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 3600
        return self.now


class CrookedEncoder(CountingEncoder):
    """Makes nothing of one word."""

    async def encode_many(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> EncodedMany:
        encoded = await super().encode_many(texts, prompt=prompt)
        for number, text in enumerate(texts):
            if "crooked" in text:
                encoded.vectors[number] = numpy.zeros(8, numpy.float32)
        return encoded


class AwayEncoder(CountingEncoder):
    """Cannot be loaded."""

    async def encode_many(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> EncodedMany:
        raise EncoderUnavailable("No model today.")


async def _offered_anew(stage: IndexingStage) -> Callable[[], Awaitable[None]]:
    """A document that waits, and the change of it that a later scan sees."""
    stage.write("a.md", "Mallards.\n")
    await stage.offer()

    async def change() -> None:
        stage.write("a.md", "Teals, and longer.\n")
        await stage.offer("job_2")

    return change

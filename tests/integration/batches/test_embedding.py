"""Lines that ask for vectors: each is answered once, whoever stops between two groups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.embeddings import DIMENSIONS
from deploy.scripted_provider.provider import ScriptedProvider
from shared.batches.batch import Batch, BatchCounts
from shared.batches.state import BatchEndpoint, BatchState
from shared.batches.work import Expanded
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderKind, EncoderSettings
from shared.settings.secret import ServerUrl
from workers.batching.embedder import Embedder
from workers.batching.line_encoding import LineEncoding

from .bench import TENANT, WINDOW, Bench, lines_of

EMBEDDINGS = BatchEndpoint.EMBEDDINGS
LINES = 141


def texts(count: int, **body: object) -> bytes:
    """Lines of a text each; every third one is that of the first."""
    road = {"method": "POST", "url": EMBEDDINGS}
    asked = [{"model": "text", "input": f"Text {n if n % 3 else 0}"} | body for n in range(count)]
    named = ({"custom_id": f"c{n}", **road, "body": each} for n, each in enumerate(asked))
    return lines_of(*map(msgspec.json.encode, named))


@pytest.fixture
async def encoding() -> AsyncIterator[LineEncoding]:
    opened = LineEncoding(EmbeddingSettings(), text_limit_bytes=1 << 20)
    yield opened
    await opened.close()


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
async def remote(provider: ScriptedProvider) -> AsyncIterator[LineEncoding]:
    """Two models of one server."""
    url = ServerUrl(provider.openai_url)
    words, code = (
        EncoderSettings(kind=EncoderKind.OPENAI, model=name, dimensions=DIMENSIONS, url=url)
        for name in ("words", "code")
    )
    opened = LineEncoding(EmbeddingSettings(text=words, code=code), text_limit_bytes=1 << 20)
    yield opened
    await opened.close()


def embedder(bench: Bench, encoding: LineEncoding) -> Embedder:
    return Embedder(bench.work, bench.store, encoding, bench.clock)


async def test_whoever_stops_and_however_many_work_each_line_is_answered_once(
    bench: Bench, encoding: LineEncoding
) -> None:
    of = await bench.expanded(texts(LINES), endpoint=EMBEDDINGS)
    assert of.state is BatchState.IN_PROGRESS
    assert await bench.count() == 0, "no line is a message"
    stopped = asyncio.create_task(embedder(bench, encoding)())
    while not await bench.lines(of):  # noqa: ASYNC110 - a group's commit
        await asyncio.sleep(0.01)
    stopped.cancel()
    await asyncio.wait([stopped])
    await asyncio.gather(*(embedder(bench, encoding)() for _ in range(2)))
    ended = await bench.collected(of)
    assert ended.state is BatchState.COMPLETED
    assert ended.counts == BatchCounts(total=LINES, completed=LINES)
    told = await bench.read(ended.output_file_id)
    assert [each["custom_id"] for each in told] == [f"c{n}" for n in range(LINES)]
    vectors = [each["response"]["body"]["data"][0]["embedding"] for each in told]
    assert vectors[0] == pytest.approx(vectors[LINES - 3], abs=1e-5)
    assert ended.usage is not None
    assert ended.usage.input_tokens == sum(
        each["response"]["body"]["usage"]["total_tokens"] for each in told
    )


async def test_of_a_batch_that_is_cancelled_or_over_no_line_is_embedded(
    sqlite_bench: Bench, encoding: LineEncoding
) -> None:
    bench = sqlite_bench
    cancelled = await bench.expanded(texts(3), endpoint=EMBEDDINGS)
    await bench.catalogue.cancel(cancelled.id, tenant_id=TENANT)
    late = await bench.expanded(texts(3, dimensions=384), endpoint=EMBEDDINGS)
    bench.clock.advance(WINDOW + 1)
    await embedder(bench, encoding)()
    for of, state in ((cancelled, BatchState.CANCELLED), (late, BatchState.EXPIRED)):
        ended = await bench.collected(of)
        assert ended.state is state
        told = await bench.read(ended.error_file_id)
        assert [each["error"]["code"] for each in told] == [f"batch_{state}"] * 3


async def test_a_line_is_refused_as_its_request_by_itself_would_be(
    sqlite_bench: Bench, encoding: LineEncoding
) -> None:
    bench = sqlite_bench
    content = texts(1, input=[1, 2]) + texts(1, input="").replace(b"c0", b"c1")
    of = await bench.expanded(content, endpoint=EMBEDDINGS)
    await embedder(bench, encoding)()
    ended = await bench.collected(of)
    assert ended.counts == BatchCounts(total=2, failed=2)
    tokens, empty = await bench.read(ended.error_file_id)
    assert "arrays of tokens are not taken" in tokens["response"]["body"]["error"]["message"]
    assert empty["response"]["status_code"] == 400


async def test_a_text_that_a_server_refuses_costs_its_own_line_alone(
    sqlite_bench: Bench, provider: ScriptedProvider, remote: LineEncoding
) -> None:
    bench = sqlite_bench
    provider.script(Behaviour(kind=Kind.INVALID_REQUEST), said="Text 4")
    of = await bench.expanded(texts(6), endpoint=EMBEDDINGS)
    await embedder(bench, remote)()
    ended = await bench.collected(of)
    assert ended.counts == BatchCounts(total=6, completed=5, failed=1)
    (refused,) = await bench.read(ended.error_file_id)
    assert refused["custom_id"] == "c4"
    assert refused["response"]["body"]["error"]["code"] == "texts_refused"


async def test_a_server_that_is_away_costs_neither_its_lines_nor_those_of_others(
    sqlite_bench: Bench, provider: ScriptedProvider, remote: LineEncoding
) -> None:
    bench, embeds = sqlite_bench, embedder(sqlite_bench, remote)
    held = await bench.expanded(texts(3), endpoint=EMBEDDINGS)
    left = await bench.expanded(texts(3, dimensions=DIMENSIONS), endpoint=EMBEDDINGS)
    others = await bench.expanded(texts(3, model="code"), endpoint=EMBEDDINGS)
    for kind in (Kind.UNAUTHORISED, Kind.INVALID_REQUEST):  # either is said to any text
        provider.script(Behaviour(kind=kind), model="words")
        await embeds()
        assert await bench.lines(held) == []
        provider.reset()
    assert (await bench.collected(others)).state is BatchState.COMPLETED
    provider.script(Behaviour(kind=Kind.UNAUTHORISED), model="words")
    await bench.catalogue.cancel(left.id, tenant_id=TENANT)
    await embeds()
    assert (await bench.collected(left)).state is BatchState.CANCELLED
    provider.reset()
    await embeds()
    assert (await bench.collected(held)).counts == BatchCounts(total=3, completed=3)


async def test_a_small_batch_has_its_turn_beside_a_large_one_before_it(
    sqlite_bench: Bench, remote: LineEncoding
) -> None:
    bench = sqlite_bench
    large = await bench.expanded(texts(300), endpoint=EMBEDDINGS)
    small = await bench.expanded(texts(2), endpoint=EMBEDDINGS)
    behind: list[str] = []
    expand = bench.work.expand

    async def told(of: Batch, group: Expanded) -> BatchState | None:
        behind.append(of.id)
        return await expand(of, group)

    bench.work.expand = told  # type: ignore[method-assign]
    await embedder(bench, remote)()
    assert behind == [large.id, small.id, large.id, large.id]

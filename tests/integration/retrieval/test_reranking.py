"""What was found, read once more by a reranker behind HTTP, which may do anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web

from shared.index.collections.collection import Collection
from shared.retrieval.legs import LegName
from shared.retrieval.reranking.remote_reranker import RemoteReranker
from shared.retrieval.reranking.reranker import RerankerUnavailable
from shared.settings.indexing.reranker import RerankerKind
from shared.settings.secret import Secret, ServerUrl

from .rerank_server import Answer, RerankServer, hangs, results, texts, well
from .reranked_asking import QUESTION, Asking, settings_of, told
from .searched_index import SearchedIndex, paths

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_best_comes_first_with_its_score_and_the_leg_says_so(
    index: SearchedIndex, docs: Collection, server: RerankServer
) -> None:
    ask = Asking(index, docs, settings_of(server, api_key=Secret("k")))

    found = await ask(limit=3)

    assert paths(found) == ["four.md", "three.md", "two.md"]
    assert [round(hit.score * 6) for hit in found.hits] == [6, 4, 2]
    assert told(found) == [(6, None)]
    [asked] = server.asked
    assert (asked["model"], asked["query"], asked["top_n"]) == ("m", QUESTION, 6)
    assert server.keys == ["Bearer k"]

    body, spans = found.hits[0].passage.body, found.hits[0].highlights
    assert {body[span.start : span.end] for span in spans} >= {"salt", "sea", "rise"}
    plain = await ask(limit=3, reranks=False)
    same = {hit.id: hit.highlights for hit in plain.hits}
    assert {hit.id: hit.highlights for hit in found.hits if hit.id in same}.items() <= same.items()
    assert told(plain) == []
    assert len(server.asked) == 1


async def test_a_threshold_is_held_to_the_scores_of_the_reranker(
    index: SearchedIndex, docs: Collection, server: RerankServer
) -> None:
    found = await Asking(index, docs, settings_of(server))(score_threshold=0.6)
    assert paths(found) == ["four.md", "three.md"]


def answers(*scores: tuple[int, float]) -> Answer:
    return lambda _: results(*scores)


BEYOND_ALL = '{"results":[{"index":0,"relevance_score":1e999}]}'


def _drop(nth: int) -> Answer:
    return lambda asked: results(*((n, 0.5) for n in range(len(texts(asked))) if n != nth))


MISBEHAVIOUR: Sequence[Any] = [
    pytest.param(lambda _: web.Response(status=500, text="Out of memory"), id="500"),
    pytest.param(lambda _: web.Response(status=401), id="401"),
    pytest.param(lambda _: web.Response(text="<html>"), id="no JSON"),
    pytest.param(lambda _: web.json_response({"data": []}), id="another answer"),
    pytest.param(_drop(2), id="one is missing"),
    pytest.param(lambda a: results(*((n, 0.5) for n in range(len(texts(a)) + 1))), id="one more"),
    pytest.param(lambda a: results(*((n + 1, 0.5) for n in range(len(texts(a))))), id="beyond"),
    pytest.param(lambda a: results(*((n - 1, 0.5) for n in range(len(texts(a))))), id="below"),
    pytest.param(lambda a: results(*((n // 2, 0.5) for n in range(len(texts(a))))), id="twice"),
    pytest.param(lambda a: results(*((n, float("nan")) for n in range(len(texts(a))))), id="NaN"),
    pytest.param(lambda a: results(*((n, float("inf")) for n in range(len(texts(a))))), id="inf"),
    pytest.param(lambda _: web.Response(text=BEYOND_ALL), id="1e999"),
    pytest.param(lambda _: web.Response(status=400, text="too long"), id="refuses all"),
]


@pytest.mark.parametrize("answer", MISBEHAVIOUR)
async def test_what_a_server_does_wrong_leaves_the_order_and_is_named(
    index: SearchedIndex, docs: Collection, server: RerankServer, answer: Answer
) -> None:
    ask = Asking(index, docs, settings_of(server))
    fused = await ask(reranks=False)
    server.misbehave(answer)

    pages = await ask.pages(limit=4)

    assert [hit for page in pages for hit in page.hits] == [*fused.hits]
    assert told(pages[0]) == [(None, "reranker_unavailable")]
    counted = b'legs_dropped_total{leg="reranker",reason="reranker_unavailable"} 1.0'
    assert counted in index.metrics.render()


async def test_one_that_hangs_costs_its_time_and_one_that_is_away_none(
    index: SearchedIndex, docs: Collection, server: RerankServer
) -> None:
    fused = await Asking(index, docs, settings_of(server))(reranks=False)
    server.misbehave(hangs)

    late = await Asking(index, docs, settings_of(server, timeout_seconds=0.2))()
    away = await Asking(index, docs, settings_of(server, url=ServerUrl("http://127.0.0.1:1/v1")))()

    assert server.hung == 1
    assert late.hits == away.hits == fused.hits
    assert told(late) == [(None, "timeout")]
    assert told(away) == [(None, "reranker_unavailable")]


async def test_what_the_last_layer_gives_out_becomes_a_score(server: RerankServer) -> None:
    server.misbehave(answers((0, -11.0), (1, 7.7), (2, -2.3), (3, -5_000.0)))
    reranker = RemoteReranker(settings_of(server))

    given = await reranker.scores("why", ["a", "b", "c", "d"])

    assert given.scores == pytest.approx([1.67e-5, 0.99955, 0.0911, 0.0], rel=1e-2)
    await reranker.close()


async def test_passages_that_are_too_long_for_it_are_cut_and_said_to_be(
    index: SearchedIndex, docs: Collection, server: RerankServer
) -> None:
    await index.put(docs, "long.md", f"{QUESTION} {'so it was said ' * 60}")

    def picky(asked: dict[str, Any]) -> web.Response:
        too_long = any(len(text) > 400 for text in texts(asked))
        return web.Response(status=400, text="513 tokens") if too_long else well(asked)

    server.misbehave(picky)
    found = await Asking(index, docs, settings_of(server))()

    assert found.hits[0].score == 1.0
    [leg] = [each for each in found.legs if each.name is LegName.RERANKER]
    assert (leg.dropped, leg.truncated) == (None, True)


async def test_tei_is_asked_in_its_words_and_for_no_more_than_it_takes(
    server: RerankServer,
) -> None:
    reranker = RemoteReranker(settings_of(server, kind=RerankerKind.TEI, model=None))
    passages = [f"{n}" for n in range(40)]
    passages[35] = "why the sea"

    given = await reranker.scores("why", passages)

    assert given.scores == tuple([1.0 if n == 35 else 0.0 for n in range(40)])
    assert sorted(len(asked["texts"]) for asked in server.asked) == [8, 32]
    assert all(asked["truncate"] for asked in server.asked)
    server.misbehave(answers((0, 1.0)))
    with pytest.raises(RerankerUnavailable, match="no answer of /rerank"):
        await reranker.scores("why", ["a"])
    await reranker.close()

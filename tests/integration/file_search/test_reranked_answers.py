"""Where a reranker is set, all that ask the index go through it, unless they are told not to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.index.collections.collection import Collection
from tests.integration.conftest import OneMachine
from tests.integration.file_search.asking import search
from tests.integration.retrieval.rerank_server import RerankServer, rerank_server
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.ports import free_port

QUESTION = "Who built the fish ladder beside it?"
NONE: Any = {"ranker": "none"}


@pytest.fixture(scope="module")
def rerank_port() -> int:
    return free_port()


@pytest.fixture
async def reranker(rerank_port: int) -> AsyncIterator[RerankServer]:
    async with rerank_server(rerank_port) as running:
        yield running


@pytest.fixture(scope="module")
def stack(
    provider: ProviderThread,
    one_machine: OneMachine,
    rerank_port: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stack:
    return one_machine(
        openai_link(provider.url, "first"),
        FOREBAY_INDEX__FOLDER=str(tmp_path_factory.mktemp("index")),
        FOREBAY_SEARCH__RERANKER__URL=f"http://127.0.0.1:{rerank_port}/v1",
        FOREBAY_SEARCH__RERANKER__MODEL="m",
        FOREBAY_SEARCH__RERANKER__TIMEOUT_SECONDS="20",
    )


async def test_an_answer_is_given_the_best_that_the_reranker_saw(
    client: openai.AsyncOpenAI, provider: ProviderThread, docs: Collection, reranker: RerankServer
) -> None:
    provider.behave(Kind.ANSWER, contains=QUESTION, text="Nobody says.")
    asked: Any = {"input": QUESTION, "include": ["file_search_call.results"]}

    reranked = await client.responses.create(tools=search(docs), **asked)
    found: Any = reranked.output[0]
    assert [one.filename for one in found.results] == ["fish.md", "dams.md"]
    assert [one.score for one in found.results] == [round(4 / 7, 6), round(2 / 7, 6)]

    tools = search(docs, ranking_options=NONE)
    plain: Any = (await client.responses.create(tools=tools, **asked)).output[0]
    assert {one.score for one in plain.results}.isdisjoint(one.score for one in found.results)
    assert len(reranker.asked) == 1


async def test_a_search_of_a_store_is_reranked_and_none_turns_it_off(
    client: openai.AsyncOpenAI, docs: Collection, reranker: RerankServer
) -> None:
    found = await client.vector_stores.search(docs.id, query=QUESTION)
    assert [one.filename for one in found.data] == ["fish.md", "dams.md"]
    assert found.data[0].score == pytest.approx(4 / 7)

    await client.vector_stores.search(docs.id, query=QUESTION, ranking_options=NONE)
    assert len(reranker.asked) == 1


async def test_a_search_of_ours_names_the_leg_and_may_do_without(
    client: openai.AsyncOpenAI, docs: Collection, reranker: RerankServer
) -> None:
    async def ask(**options: Any) -> dict[str, Any]:
        body = {"query": QUESTION, "collections": [docs.id], "limit": 1, **options}
        told: dict[str, Any] = await client.post("/search", cast_to=dict[str, Any], body=body)
        return told

    first = await ask()
    assert next(leg for leg in first["legs"] if leg["name"] == "reranker")["hits"] == 2
    second = await ask(cursor=first["next_cursor"])
    assert [page["data"][0]["document"]["path"] for page in (first, second)] == [
        "fish.md",
        "dams.md",
    ]
    without = await ask(rerank=False)
    assert "reranker" not in {leg["name"] for leg in without["legs"]}
    assert len(reranker.asked) == 1
    with pytest.raises(openai.BadRequestError) as refused:
        await ask(weights={"reranker": 1})
    assert refused.value.param == "weights"

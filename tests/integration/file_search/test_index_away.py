"""Where nothing listens that keeps passages, answers are made without, and say so."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from deploy.scripted_provider.behaviour import Kind
from tests.integration.conftest import OneMachine
from tests.integration.file_search.asking import search
from tests.integration.retrieval.searched_index import SearchedIndex
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link


@pytest.fixture(scope="module")
def stack(provider: ProviderThread, one_machine: OneMachine) -> Stack:
    """Its passages are on a server that is down."""
    return one_machine(
        openai_link(provider.url, "first"), FOREBAY_INDEX__QDRANT__URL="http://127.0.0.1:9"
    )


async def test_where_the_index_is_away_the_answer_does_without_and_says_so(
    client: openai.AsyncOpenAI,
    provider: ProviderThread,
    index: SearchedIndex,
) -> None:
    docs = await index.catalogue.create(index.tenant, name="docs", generation=index.generation)
    question = "What stands in the collection?"
    provider.behave(Kind.ANSWER, contains=question, text="I cannot tell, in 1931 or now.")

    response = await client.responses.create(input=question, tools=search(docs))
    assert response.output_text == "I cannot tell, in 1931 or now."
    assert response.output[0].type == "file_search_call"
    assert response.output[0].status == "failed"
    assert response.model_extra is not None
    assert response.model_extra["turn"] == {"dropped": ["file_search"]}
    assert "<passage" not in provider.calls(question)[0].content

    demanded = await client.responses.create(
        input=question, tools=search(docs), tool_choice={"type": "file_search"}
    )
    assert demanded.status == "failed"
    assert demanded.error is not None
    assert "search_unavailable" in demanded.error.message


async def test_a_stream_tells_that_the_search_failed_once_and_what_followed(
    client: openai.AsyncOpenAI, provider: ProviderThread, index: SearchedIndex
) -> None:
    docs = await index.catalogue.create(index.tenant, name="docs", generation=index.generation)
    question = "What stood in the collection?"
    provider.behave(Kind.ANSWER, contains=question, text="I cannot tell.")

    async def told(**options: Any) -> tuple[list[str], Any, Any]:
        asked = {"input": question, "tools": search(docs), "stream": True, **options}
        events = [event async for event in await client.responses.create(**asked)]
        [done] = [
            event.item
            for event in events
            if event.type == "response.output_item.done" and event.item.type == "file_search_call"
        ]
        return [event.type for event in events], done, events[-1].response

    kinds, done, response = await told()
    assert kinds[2:7] == [
        "response.in_progress",
        "response.output_item.added",
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.output_item.done",
    ]
    assert (done.status, response.output_text) == ("failed", "I cannot tell.")
    assert response.output[0] == done
    assert "response.file_search_call.completed" not in kinds

    kinds, done, response = await told(tool_choice={"type": "file_search"})
    assert kinds[-2:] == ["response.output_item.done", "response.failed"]
    assert (done.status, response.status) == ("failed", "failed")

"""Where nothing listens that keeps passages, answers are made without, and say so."""

from __future__ import annotations

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

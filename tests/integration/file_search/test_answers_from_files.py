"""Answers from files: searched by the worker, quoted to the model, cited, and held to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import dropwhile
from typing import Any

import msgspec
import openai
import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.index.collections.collection import Collection
from tests.integration.file_search.asking import citations, search
from tests.integration.retrieval.searched_index import SearchedIndex
from tests.integration.workers.provider_thread import ProviderThread

WRONG = "The dam was built by Greta Solberg in the year that everybody knows, and has 999 gates."
MakeClient = Callable[..., Awaitable[openai.AsyncOpenAI]]


async def test_an_answer_cites_the_passages_that_the_model_was_given(
    client: openai.AsyncOpenAI, provider: ProviderThread, docs: Collection
) -> None:
    question = "How high is the Morrow dam?"
    provider.behave(Kind.ANSWER, contains=question, text="It is 120 metres high [1], I read [1].")

    response = await client.responses.create(
        input=question, tools=search(docs), include=["file_search_call.results"]
    )
    found, message = response.output
    assert found.type == "file_search_call"
    assert found.id == f"fs_{response.id.removeprefix('resp_')}"
    assert (found.status, found.queries) == ("completed", [question])
    assert found.results is not None
    assert found.results[0].filename == "dams.md"
    assert "120 metres" in (found.results[0].text or "")
    assert 0 <= (found.results[0].score or 0) <= 1
    assert response.output_text == "It is 120 metres high, I read."
    assert citations(message) == [(21, "dams.md"), (29, "dams.md")]

    [call] = provider.calls(question)
    assert "The Morrow dam is 120 metres high." in call.content
    assert call.content.count("<passage-") > 2
    kept = await client.responses.retrieve(response.id)
    assert kept.output == response.output
    plain = await client.responses.create(input=question, tools=search(docs))
    assert plain.output[0].results is None  # type: ignore[union-attr]


async def test_a_stream_tells_the_search_first_and_half_a_mark_never(
    client: openai.AsyncOpenAI, provider: ProviderThread, docs: Collection
) -> None:
    question = "Who built the Morrow dam, in pieces?"
    said = "Greta Solberg [1]. In 1931 [1]."
    provider.behave(Kind.ANSWER, contains=question, text=said, piece_characters=2)

    stream = await client.responses.create(input=question, tools=search(docs), stream=True)
    events = [event async for event in stream]
    kinds = [event.type for event in events]
    assert kinds[3:8] == [
        "response.output_item.added",
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.file_search_call.completed",
        "response.output_item.done",
    ]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "Greta Solberg. In 1931."
    added = [event for event in events if event.type == "response.output_text.annotation.added"]
    assert [(one.annotation.index, one.output_index) for one in added] == [(13, 1), (22, 1)]
    end = events[-1]
    assert end.type == "response.completed"
    assert citations(end.response.output[1]) == [(13, "dams.md"), (22, "dams.md")]
    told = [event.item for event in events if event.type == "response.output_item.done"]
    assert told == end.response.output
    async with client.responses.stream(model="auto", input=question, tools=search(docs)) as again:
        final = await again.get_final_response()
    assert final.output_text == "Greta Solberg. In 1931."


async def test_what_no_passage_holds_is_asked_for_again(
    client: openai.AsyncOpenAI, provider: ProviderThread, docs: Collection
) -> None:
    question = "How many steps has the fish ladder?"
    provider.behave(Kind.ANSWER, contains="was rejected", text="It has 47 steps [1].")
    provider.behave(Kind.ANSWER, contains=question, text="It has 74 steps [9].")

    response = await client.responses.create(input=question, tools=search(docs))
    assert response.output_text == "It has 47 steps."
    assert len(provider.calls(question)) == 2


async def test_a_stored_answer_is_given_until_a_document_changes(
    client: openai.AsyncOpenAI, provider: ProviderThread, docs: Collection, index: SearchedIndex
) -> None:
    question = "In which year was the Morrow dam built?"
    provider.behave(Kind.ANSWER, contains=question, text="In 1931 [1].")

    async def ask() -> Any:
        return await client.responses.create(input=question, tools=search(docs))

    first, again = await ask(), await ask()
    while again.model_extra["turn"] is None:  # the answer is stored once it has left
        again = await ask()
    calls = len(provider.calls(question))
    assert again.model_extra["turn"]["cache"]["kind"] in {"exact", "single_flight"}
    assert again.output_text == first.output_text == "In 1931."
    assert citations(again.output[1]) == citations(first.output[1]) == [(7, "dams.md")]
    assert again.output[0].queries == [question]

    await index.put(docs, "more.md", "# More\n\nThe Morrow dam was built from 1929 to 1931.")
    changed = await ask()
    assert changed.model_extra["turn"] is None
    assert len(provider.calls(question)) == calls + 1
    streamed = [
        event
        async for event in await client.responses.create(
            input=question, tools=search(docs), stream=True
        )
    ]
    assert citations(streamed[-1].response.output[1])  # type: ignore[union-attr]


async def test_what_is_taken_out_or_not_for_the_asking_is_in_no_answer(
    make_client: MakeClient,
    client: openai.AsyncOpenAI,
    provider: ProviderThread,
    docs: Collection,
    index: SearchedIndex,
) -> None:
    secret = "# Key\n\nThe key of the Morrow gate lies under stone 88."
    await index.put(docs, "key.md", secret, principals=("user:ann",))
    question = "Where lies the key of the Morrow gate?"
    provider.behave(Kind.ANSWER, contains=question, text="I may not say.")
    include = ["file_search_call.results"]

    async def found(asking: openai.AsyncOpenAI) -> set[str]:
        asked = {"input": question, "tools": search(docs), "include": include}
        response = await asking.responses.create(**asked)
        return {each.filename for each in response.output[0].results}

    async with await make_client("user:ann") as ann, await make_client("user:bob") as bob:
        assert "key.md" in await found(client)
        assert "key.md" in await found(ann)
        assert "key.md" not in await found(bob)
    assert "stone 88" in provider.calls(question)[0].content
    assert "stone 88" not in provider.calls(question)[-1].content


async def test_filters_and_limits_decide_what_is_found(
    client: openai.AsyncOpenAI, provider: ProviderThread, docs: Collection, index: SearchedIndex
) -> None:
    provider.behave(Kind.ANSWER, contains="Does the dam hold?", text="It does.")
    for year in (1990, 2020):
        text = f"# Report\n\nThe dam was looked at in {year} and holds."
        await index.put(docs, f"{year}.md", text, attributes={"year": float(year)})
    newer = {"type": "gt", "key": "year", "value": 2000}
    asked = {"input": "Does the dam hold?", "include": ["file_search_call.results"]}

    filtered = await client.responses.create(tools=search(docs, filters=newer), **asked)
    assert [one.filename for one in filtered.output[0].results] == ["2020.md"]  # type: ignore
    assert filtered.output[0].results[0].attributes == {"year": 2020.0}  # type: ignore
    by_words = {"hybrid_search": {"embedding_weight": 0, "text_weight": 1}}
    words = await client.responses.create(
        tools=search(docs, ranking_options=by_words),
        **{**asked, "input": "Does the dam hold? 1990"},
    )
    assert "1990.md" in {each.filename for each in words.output[0].results}  # type: ignore
    strict = {"ranking_options": {"score_threshold": 0.99}}
    best = await client.responses.create(tools=search(docs, **strict), **asked)
    assert len(best.output[0].results) <= 1  # type: ignore
    one = await client.responses.create(tools=search(docs, max_num_results=1), **asked)
    assert len(one.output[0].results) == 1  # type: ignore


async def test_a_store_of_nobody_or_of_another_tenant_is_not_there(
    client: openai.AsyncOpenAI, index: SearchedIndex, docs: Collection
) -> None:
    other = msgspec.structs.replace(docs, id="vs_" + "0" * 32)
    with pytest.raises(openai.NotFoundError) as refused:
        await client.responses.create(input="Hi", tools=search(docs, other))
    assert refused.value.param == "tools[0].vector_store_ids[1]"
    foreign = await index.catalogue.create("ten_other", name="theirs", generation="")
    with pytest.raises(openai.NotFoundError):
        await client.responses.create(input="Hi", tools=search(foreign))


async def test_the_next_turn_goes_on_from_an_answer_that_came_from_files(
    client: openai.AsyncOpenAI, provider: ProviderThread, docs: Collection
) -> None:
    question, more = "How high is the Morrow dam, briefly?", "And who built it?"
    provider.behave(Kind.ANSWER, contains=more, text="Greta Solberg [1].")
    provider.behave(Kind.ANSWER, contains=question, text="120 metres [1].")
    first = await client.responses.create(input=question, tools=search(docs))

    sent = [each.model_dump(mode="json", exclude_none=True) for each in first.output]
    again: list[Any] = [{"role": "user", "content": question}, *sent]
    again.append({"role": "user", "content": more})
    second = await client.responses.create(input=again, tools=search(docs))
    third = await client.responses.create(
        input=more, previous_response_id=first.id, tools=search(docs)
    )
    assert second.output_text == third.output_text == "Greta Solberg."
    assert second.output[0].queries == third.output[0].queries == [more]  # type: ignore[union-attr]
    items = await client.responses.input_items.list(second.id, order="asc")
    assert [each.type for each in items.data] == [
        *("message", "file_search_call", "message", "message"),
    ]
    assert items.data[2].content[0].annotations == first.output[1].content[0].annotations  # type: ignore

    conversation = await client.conversations.create()
    await client.responses.create(input=question, conversation=conversation.id, tools=search(docs))
    kept = await client.conversations.items.list(conversation.id, order="asc")
    assert [each.type for each in kept.data] == ["message", "file_search_call", "message"]
    [part] = kept.data[2].content  # type: ignore[union-attr]
    assert [one.filename for one in part.annotations] == ["dams.md"]  # type: ignore[union-attr]


async def test_an_answer_that_begins_again_is_told_behind_its_search_again(
    client: openai.AsyncOpenAI, provider: ProviderThread, docs: Collection
) -> None:
    question = "Who built it, at the second attempt?"
    provider.behave(Kind.ANSWER, contains="was rejected", text="Greta Solberg [1].")
    provider.behave(Kind.ANSWER, contains=question, text=WRONG)

    stream = await client.responses.create(input=question, tools=search(docs), stream=True)
    events = [event async for event in stream]
    again = [*dropwhile(lambda event: event.type != "response.restarted", events)]
    assert [event.type for event in again[1:6]] == [
        "response.output_item.added",
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.file_search_call.completed",
        "response.output_item.done",
    ]
    deltas = [event.delta for event in again if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "Greta Solberg."
    end = events[-1]
    assert end.type == "response.completed"
    assert citations(end.response.output[1]) == [(13, "dams.md")]
    added = [event for event in again if event.type == "response.output_item.added"]
    assert [event.output_index for event in added] == [0, 1]

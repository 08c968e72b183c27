"""What every provider of batches keeps to, whatever its API calls them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from deploy.scripted_provider.batches.batch_script import BatchBehaviour
from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.costs.price import ServedTier
from shared.messages.item import MessageItem, Role
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.secret import Secret
from workers.providers.batching.batch_provider import (
    BatchedRequest,
    BatchProvider,
    BatchResult,
    ProviderBatchState,
)
from workers.providers.batching.building import BATCH_PROVIDERS, build_batch_provider
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError
from workers.providers.outcome import Declined
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider() as provider:
        yield provider


@pytest.fixture(params=BATCH_PROVIDERS)
def kind(request: pytest.FixtureRequest) -> ProviderKind:
    return ProviderKind(request.param)


@pytest.fixture
def batches(
    kind: ProviderKind, scripted: ScriptedProvider, connections: ProviderConnections
) -> BatchProvider:
    settings = ProviderSettings(
        name="model",
        kind=kind,
        base_url=scripted.openai_url,
        model="small",
        api_key=Secret("sk-test"),
    )
    return build_batch_provider(settings, connections)


def prompt(text: str) -> Prompt:
    told = (MessageItem(Role.SYSTEM, "Be brief."), MessageItem(Role.USER, text))
    return Prompt(items=told, max_output_tokens=50)


def requests(batches: BatchProvider, **texts: str) -> list[BatchedRequest]:
    made = [batches.request(prompt(text), custom_id) for custom_id, text in texts.items()]
    return [each for each in made if not isinstance(each, Declined)]


async def collected(batches: BatchProvider, batch_id: str) -> list[BatchResult]:
    return [result async for result in batches.results(batch_id)]


async def test_items_are_answered_as_by_calls_of_their_own(
    batches: BatchProvider, scripted: ScriptedProvider
) -> None:
    scripted.script_batches(BatchBehaviour(never_ends=True))
    batch_id = await batches.submit(requests(batches, a="Ulm?", b="Köln 🙂?"), key="k")
    assert (await batches.look(batch_id)).state is ProviderBatchState.RUNNING

    scripted.end_batches()
    look = await batches.look(batch_id)
    assert (look.state, look.completed, look.failed) == (ProviderBatchState.ENDED, 2, 0)
    results = {each.custom_id: each for each in await collected(batches, batch_id)}
    assert results.keys() == {"a", "b"}
    body = results["b"].body
    assert body is not None
    answer = batches.read(prompt("Köln 🙂?"), body)
    assert answer.text == "You said: Köln 🙂?"
    assert (answer.model, answer.is_whole, answer.usage.reported) == ("small", True, True)
    assert answer.usage.tier is ServedTier.BATCH
    assert {(call.instructions, call.stream) for call in scripted.calls} == {("Be brief.", False)}


async def test_an_item_that_failed_says_why_in_the_words_of_a_call(
    batches: BatchProvider, scripted: ScriptedProvider
) -> None:
    scripted.script(Behaviour(kind=Kind.CONTEXT_TOO_LONG), contains="long")
    scripted.script(Behaviour(kind=Kind.RATE_LIMITED), contains="soon")
    batch_id = await batches.submit(requests(batches, a="long", b="soon", c="x"), key="k")
    look = await batches.look(batch_id)
    assert (look.completed, look.failed) == (1, 2)

    results = {each.custom_id: each.error for each in await collected(batches, batch_id)}
    assert results["c"] is None
    classes = {name: error.error_class for name, error in results.items() if error is not None}
    assert classes == {"a": ErrorClass.CONTEXT_TOO_LONG, "b": ErrorClass.RATE_LIMITED}


@pytest.mark.parametrize("expires", [True, False])
async def test_what_was_answered_before_the_end_is_not_lost(
    batches: BatchProvider, scripted: ScriptedProvider, expires: bool
) -> None:
    scripted.script_batches(BatchBehaviour(expires=expires, never_ends=not expires, answered=1))
    batch_id = await batches.submit(requests(batches, a="x", b="y"), key="k")
    if not expires:
        await batches.cancel(batch_id)

    look = await batches.look(batch_id)
    assert look.state is ProviderBatchState.ENDED
    assert look.reason
    results = {each.custom_id: each for each in await collected(batches, batch_id)}
    assert results["a"].body
    assert not results["b"].body
    assert results["b"].unrun


async def test_results_of_nobody_come_and_some_come_twice(
    batches: BatchProvider, scripted: ScriptedProvider
) -> None:
    scripted.script_batches(BatchBehaviour(unknown=1, repeated=1, lost=1, unordered=True))
    batch_id = await batches.submit(requests(batches, a="x", b="y", c="z"), key="k")
    await batches.look(batch_id)

    told = [each.custom_id for each in await collected(batches, batch_id)]
    assert told == ["nobody-0", "a", "b", "a"]


async def test_results_that_are_cut_give_what_was_whole_and_say_so(
    batches: BatchProvider, scripted: ScriptedProvider
) -> None:
    scripted.script_batches(BatchBehaviour(cut_results=True))
    batch_id = await batches.submit(requests(batches, a="x", b="y"), key="k")
    await batches.look(batch_id)

    results = batches.results(batch_id)
    assert (await anext(results)).custom_id == "a"
    with pytest.raises(ProviderError, match="middle of a line"):
        await anext(results)


async def test_what_is_refused_raises_the_error_of_a_call(
    batches: BatchProvider, scripted: ScriptedProvider
) -> None:
    scripted.script_batches(BatchBehaviour(refused_with=429, times=1))
    with pytest.raises(ProviderError) as limited:
        await batches.submit(requests(batches, a="x"), key="k")
    assert limited.value.error_class is ErrorClass.RATE_LIMITED

    scripted.script_batches(BatchBehaviour(look_fails_with=503))
    batch_id = await batches.submit(requests(batches, a="x"), key="k")
    with pytest.raises(ProviderError) as failed:
        await batches.look(batch_id)
    assert failed.value.status == 503
    with pytest.raises(ProviderError):
        await batches.look("../nowhere?x")


async def test_a_batch_whose_creation_was_not_answered_is_found_where_the_api_has_keys(
    batches: BatchProvider, scripted: ScriptedProvider, kind: ProviderKind
) -> None:
    scripted.script_batches(BatchBehaviour(loses_answer=True, times=1))
    with pytest.raises(ProviderError):
        await batches.submit(requests(batches, a="x"), key="ours")

    found = await batches.find("ours")
    assert (found is not None) == (kind is ProviderKind.OPENAI_COMPATIBLE)
    assert await batches.find("theirs") is None


async def test_results_are_fetched_from_no_address_that_the_provider_names(
    batches: BatchProvider, scripted: ScriptedProvider
) -> None:
    scripted.script_batches(BatchBehaviour(results_url="http://127.0.0.1:1/elsewhere"))
    batch_id = await batches.submit(requests(batches, a="x"), key="k")
    await batches.look(batch_id)

    assert [each.custom_id for each in await collected(batches, batch_id)] == ["a"]


async def test_a_batch_that_failed_says_why(
    scripted: ScriptedProvider, batches: BatchProvider, kind: ProviderKind
) -> None:
    if kind is not ProviderKind.OPENAI_COMPATIBLE:
        pytest.skip("its batches do not fail as a whole")
    scripted.script_batches(BatchBehaviour(fails="no reason"))
    batch_id = await batches.submit(requests(batches, a="x"), key="k")

    look = await batches.look(batch_id)
    assert (look.state, look.reason) == (ProviderBatchState.FAILED, "no reason")
    assert await collected(batches, batch_id) == []

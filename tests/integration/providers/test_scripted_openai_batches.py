"""OpenAI's own client runs batches against the scripted provider, which goes wrong on demand."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from deploy.scripted_provider.batches.batch_script import BatchBehaviour
from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from tests.integration.providers.official_batches import batch_of, line, told


async def test_openais_client_takes_a_batch_from_its_file_to_its_results(
    scripted: ScriptedProvider, gpt: openai.AsyncOpenAI
) -> None:
    scripted.script(Behaviour(kind=Kind.INVALID_REQUEST), contains="bad")
    made = await batch_of(gpt, line("a"), line("b", "bad"), metadata={"of": "us"})
    assert (made.status, made.metadata) == ("validating", {"of": "us"})

    batch = await gpt.batches.retrieve(made.id)
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 2, "completed": 1, "failed": 1}
    (good,) = await told(gpt, batch.output_file_id)
    (bad,) = await told(gpt, batch.error_file_id)
    assert good["custom_id"] == "a"
    assert good["error"] is None
    answer = openai.types.chat.ChatCompletion.model_validate(good["response"]["body"])
    assert answer.choices[0].message.content == "You said: Ulm?"
    assert (bad["custom_id"], bad["response"]["status_code"]) == ("b", 400)
    assert {call.batch for call in scripted.calls} == {made.id}
    assert [each.id async for each in gpt.batches.list()] == [made.id]


async def test_openais_client_reads_every_page_of_its_batches(gpt: openai.AsyncOpenAI) -> None:
    made = [(await batch_of(gpt, line("a"))).id for _ in range(5)]
    assert [each.id async for each in gpt.batches.list(limit=2)] == made[::-1]


async def test_a_cancelled_batch_gives_what_it_had_answered(
    scripted: ScriptedProvider, gpt: openai.AsyncOpenAI
) -> None:
    scripted.script_batches(BatchBehaviour(never_ends=True, answered=1))
    made = await batch_of(gpt, line("a"), line("b"))
    assert (await gpt.batches.retrieve(made.id)).status == "in_progress"

    assert (await gpt.batches.cancel(made.id)).status == "cancelling"
    batch = await gpt.batches.retrieve(made.id)
    assert batch.status == "cancelled"
    assert [each["custom_id"] for each in await told(gpt, batch.output_file_id)] == ["a"]
    (unrun,) = await told(gpt, batch.error_file_id)
    assert unrun["error"]["code"] == "batch_cancelled"
    with pytest.raises(openai.ConflictError):
        await gpt.batches.cancel(made.id)


@pytest.mark.parametrize(
    ("lines", "code", "number"),
    [
        ([line("a"), "{broken"], "invalid_json_line", 2),
        ([line("a"), line("a")], "duplicate_custom_id", 2),
        ([line("a", url="/v1/embeddings")], "mismatched_url", 1),
        ([line("a"), line("b", body={"model": "other", "messages": []})], "mismatched_model", 2),
        ([line("")], "missing_required_parameter", 1),
        ([line("a", body="text")], "missing_required_parameter", 1),
    ],
)
async def test_a_bad_line_fails_the_batch_and_is_named(
    gpt: openai.AsyncOpenAI, lines: list[object], code: str, number: int
) -> None:
    made = await batch_of(gpt, *lines)

    batch = await gpt.batches.retrieve(made.id)
    assert batch.status == "failed"
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [(each.code, each.line) for each in batch.errors.data] == [(code, number)]


async def test_what_openai_refuses_at_once_is_refused(gpt: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="input_file_id"):
        await gpt.batches.create(
            input_file_id="file-none", endpoint="/v1/chat/completions", completion_window="24h"
        )
    with pytest.raises(openai.BadRequestError, match="endpoint"):
        await batch_of(gpt, line("a"), endpoint="/v1/videos")
    with pytest.raises(openai.NotFoundError):
        await gpt.batches.retrieve("batch_none")
    with pytest.raises(openai.BadRequestError, match="purpose"):
        await gpt.files.create(file=("a", b"x"), purpose="vision")


async def test_a_batch_that_failed_can_go_on_holding_the_limit(
    scripted: ScriptedProvider, gpt: openai.AsyncOpenAI
) -> None:
    scripted.script_batches(BatchBehaviour(fails="no reason", holds_limit=True, times=1))
    scripted.script_batches(BatchBehaviour(enqueued_limit_tokens=6))
    failed = await batch_of(gpt, line("a", "one two three"))
    assert (await gpt.batches.retrieve(failed.id)).status == "failed"

    over = await batch_of(gpt, line("a", "one two three four"))
    batch = await gpt.batches.retrieve(over.id)
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [each.code for each in batch.errors.data] == ["token_limit_exceeded"]
    fits = await batch_of(gpt, line("a", "one two"))
    assert (await gpt.batches.retrieve(fits.id)).status == "completed"


async def test_an_expired_batch_says_which_items_were_not_run(
    scripted: ScriptedProvider, gpt: openai.AsyncOpenAI
) -> None:
    scripted.script_batches(BatchBehaviour(expires=True, answered=1))
    made = await batch_of(gpt, line("a"), line("b"))

    batch = await gpt.batches.retrieve(made.id)
    assert (batch.status, batch.expired_at is None) == ("expired", False)
    assert [each["custom_id"] for each in await told(gpt, batch.output_file_id)] == ["a"]
    (unrun,) = await told(gpt, batch.error_file_id)
    assert (unrun["custom_id"], unrun["error"]["code"]) == ("b", "batch_expired")


async def test_results_are_unordered_doubled_unknown_and_lost(
    scripted: ScriptedProvider, gpt: openai.AsyncOpenAI
) -> None:
    scripted.script_batches(BatchBehaviour(unordered=True, repeated=1, unknown=1, lost=1))
    made = await batch_of(gpt, line("a"), line("b"), line("c"))

    batch = await gpt.batches.retrieve(made.id)
    results = await told(gpt, batch.output_file_id)
    assert [each["custom_id"] for each in results] == ["nobody-0", "a", "b", "a"]


async def test_the_flex_tier_may_have_no_room_and_says_what_it_served(
    scripted: ScriptedProvider, gpt: openai.AsyncOpenAI
) -> None:
    scripted.script(Behaviour(kind=Kind.NO_CAPACITY, times=1), service_tier="flex")

    async def ask(tier: Any) -> str | None:
        messages: Any = [{"role": "user", "content": "x"}]
        answer = await gpt.chat.completions.create(model="m", messages=messages, service_tier=tier)
        return answer.service_tier

    with pytest.raises(openai.RateLimitError, match="Resource Unavailable"):
        await ask("flex")
    assert [await ask("flex"), await ask("auto")] == ["flex", "default"]
    scripted.script(Behaviour(served_tier="default"))
    assert await ask("flex") == "default"

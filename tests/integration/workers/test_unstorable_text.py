"""A NUL in a message, in an answer or in what a person writes loses nothing on Postgres."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.clock import SystemClock
from shared.errors import InvalidRequest
from shared.identifiers import HANDOFF, sibling_id
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.handoffs import HandoffRepository
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, open_road
from tests.integration.workers.stack import Stack, openai_link
from workers.building.runtime import open_runtime
from workers.pipeline import Pipeline, TurnOutcome

SCHEMA = {
    "type": "json_schema",
    "name": "thing",
    "schema": {"type": "object", "required": ["a\0"]},
}


def stack_on(redis_url: str, ledger_url: str, providers: list[dict[str, Any]]) -> Stack:
    return Stack(
        broker_url=redis_url,
        redis_url=redis_url,
        ledger_url=ledger_url,
        providers=providers,
        extra={"FOREBAY_LEDGER__LEASE_SECONDS": "60"},
    )


async def ended(road: Road, pipeline: Pipeline, question: str, /, **body: Any) -> MessageRecord:
    record = await road.accept(question, wake=False, body=body)
    assert await pipeline.run(record.id) in {TurnOutcome.ANSWERED, TurnOutcome.FAILED}
    return await road.ended(record)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_rule_that_quotes_a_nul_answers_without_it(
    redis_url: str, migrated_postgres_url: str, tmp_path: Path, stream: bool
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[default]\nanswer = "You wrote: $message"\n')
    link = {"name": "rules", "kind": "rules", "rules_file": str(rules)}
    stack = stack_on(redis_url, migrated_postgres_url, [link])
    async with open_road(stack) as road, open_runtime(stack.settings) as pipeline:
        record = await ended(road, pipeline, "half\0way", stream=stream)
        assert record.output_text == "You wrote: halfway"
        closing = await road.closing_event(record)
        assert closing["response"]["output"][0]["content"][0]["text"] == record.output_text
        said = "".join(event.get("delta", "") for _, event in await road.events(record))
        assert said == (record.output_text if stream else "")


async def test_evidence_and_refusals_that_quote_a_nul_are_written_without_it(
    redis_url: str, migrated_postgres_url: str, provider: ProviderThread
) -> None:
    stack = stack_on(redis_url, migrated_postgres_url, [openai_link(provider.url)])
    provider.behave(Kind.ANSWER, contains="a thing", text="{}")
    async with open_road(stack) as road, open_runtime(stack.settings) as pipeline:
        rejected = await ended(road, pipeline, "a thing", text={"format": SCHEMA})
        assert rejected.state is ResponseState.FAILED
        attempts = await road.attempts(rejected)
        assert {row.error_class for row in attempts} == {"rejected"}
        bad = {"format": SCHEMA | {"schema": {"type": "no type\0"}}}
        refused = await ended(road, pipeline, "a thing", text=bad)
        assert refused.state is ResponseState.FAILED
        assert "text.format.schema" in (refused.error_message or "")


@pytest.mark.parametrize("text", ["half\0way", "not \udcff UTF-8"])
async def test_a_persons_answer_that_cannot_be_stored_is_refused_and_can_be_given_again(
    redis_url: str, migrated_postgres_url: str, text: str
) -> None:
    stack = stack_on(redis_url, migrated_postgres_url, [{"name": "people", "kind": "handoff"}])
    async with open_road(stack) as road, open_runtime(stack.settings) as pipeline:
        record = await ended(road, pipeline, "who helps?")
        inbox = HandoffRepository(road.database, SystemClock())
        handoff = sibling_id(HANDOFF, record.id)
        with pytest.raises(InvalidRequest, match="answer holds"):
            await inbox.answer(handoff, text=text, answered_by="ann")
        answered = await inbox.answer(handoff, text="I do.", answered_by="ann")
        assert (answered.state, answered.output_text) == (ResponseState.COMPLETED, "I do.")

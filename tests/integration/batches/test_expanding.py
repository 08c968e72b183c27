"""Lines become messages, each once, whoever dies at whatever."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from itertools import count

import msgspec
import pytest
from sqlalchemy import update

from shared.batches.batch import BatchCounts
from shared.batches.state import BatchEndpoint, BatchState, ItemOutcome
from shared.batches.tables import batch
from shared.messages.lane import Lane
from shared.persistence.statements import transaction
from workers.turn import begin_turn

from .bench import TENANT, Bench, chat, lines_of
from .cutting import dying_at

LINES = [chat(n, f"Question {n % 150}") for n in range(450)]


async def test_lines_become_messages_and_their_answers_a_file(bench: Bench) -> None:
    of = await bench.expanded(lines_of(*(chat(n) for n in range(1, 4))))
    assert of.state is BatchState.IN_PROGRESS
    assert (of.total, of.model, of.expanded_at) == (3, "m", bench.clock.now())
    assert of.estimate is not None
    assert of.estimate.messages == 3
    found = await bench.messages()
    assert {each.lane for each in found} == {Lane.BATCH}
    assert {each.deadline for each in found} == {of.expires_at}
    assert {each.id for each in bench.sent.records} == {each.id for each in found}
    assert await bench.items.counts(of) == BatchCounts(total=3)
    await bench.collector()
    assert (await bench.now(of)).state is BatchState.IN_PROGRESS
    await bench.answer()
    ended = await bench.collected(of)
    assert ended.state is BatchState.COMPLETED
    assert ended.counts == BatchCounts(total=3, completed=3)
    assert ended.error_file_id is None
    told = await bench.read(ended.output_file_id)
    assert [each["custom_id"] for each in told] == ["c1", "c2", "c3"]
    assert {each["response"]["status_code"] for each in told} == {200}
    assert told[0]["response"]["body"]["choices"][0]["message"]["content"] == "Fine."


async def test_a_line_finds_the_documents_that_its_batch_may_see(sqlite_bench: Bench) -> None:
    bench, url = sqlite_bench, "/v1/responses"
    search = {"type": "file_search", "vector_store_ids": ["vs_1"]}
    body = {"model": "m", "input": "Hi", "tools": [search]}
    line = {"custom_id": "c", "method": "POST", "url": url, "body": body}
    await bench.ask(lines_of(msgspec.json.encode(line)), endpoint=BatchEndpoint.RESPONSES)
    async with transaction(bench.database.durable) as connection:
        await connection.execute(update(batch).values(principals='["user:ann"]'))
    await bench.expander()
    (asked,) = await bench.messages()
    found = begin_turn(asked).body.file_search
    assert found is not None
    assert found.principals == ("user:ann",)


async def test_a_fault_of_one_request_is_its_lines_alone(bench: Bench) -> None:
    bad = [
        chat(2, temperature=9),
        chat(3, stream=True),
        chat(4, service_tier="never"),
        chat(5, user="a\0b"),
        chat(6, n=5),
        chat(7, "x" * 1_100_000),
    ]
    of = await bench.expanded(lines_of(chat(1), *bad, chat(8)))
    assert (of.state, of.total) == (BatchState.IN_PROGRESS, 8)
    assert await bench.count() == 2
    page = await bench.items.page(of, limit=20)
    failed = {each.custom_id: each for each in page if each.outcome is ItemOutcome.FAILED}
    assert failed.keys() == {"c2", "c3", "c4", "c5", "c6", "c7"}
    assert failed["c2"].error_code == "invalid_type"
    assert "'temperature'" in (failed["c2"].error_message or "")
    assert failed["c7"].status_code == 413
    assert {each.status_code for each in failed.values()} == {400, 413}
    await bench.answer()
    ended = await bench.collected(of)
    assert ended.state is BatchState.COMPLETED
    told = await bench.read(ended.error_file_id)
    assert {each["custom_id"] for each in told} == failed.keys()
    errors = {each["custom_id"]: each["response"]["body"]["error"] for each in told}
    fields = {name: error["param"] for name, error in errors.items()}
    assert fields["c2"] == "temperature", "the field that the request by itself would have named"
    assert errors["c2"]["message"] == failed["c2"].error_message
    assert None not in fields.values()
    assert len(await bench.read(ended.output_file_id)) == 2


async def test_equal_lines_of_a_batch_run_once_and_each_has_the_answer(bench: Bench) -> None:
    same = chat(2, "Same").replace(b'"c2"', b'"d"').replace(b":", b" : ")
    of = await bench.expanded(lines_of(chat(1, "Same"), same, chat(3), chat(4, "Same")))
    assert await bench.count() == 2
    other = await bench.expanded(lines_of(chat(1, "Same")))
    assert await bench.count() == 3, "another batch is another order"
    await bench.answer()
    ended = await bench.collected(of)
    assert ended.counts == BatchCounts(total=4, completed=4)
    assert ended.usage is not None
    assert ended.usage.input_tokens == 2 * 3, "equal lines are paid once"
    told = await bench.read(ended.output_file_id)
    assert [each["custom_id"] for each in told] == ["c1", "d", "c3", "c4"]
    assert (await bench.collected(other)).state is BatchState.COMPLETED


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        (BatchEndpoint.RESPONSES, {"model": "m", "input": "Hi"}),
        (
            BatchEndpoint.CHAT_COMPLETIONS,
            {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
        ),
    ],
)
async def test_every_endpoint_is_read_as_it_is_by_itself(
    sqlite_bench: Bench, endpoint: BatchEndpoint, body: dict[str, object]
) -> None:
    line = {"custom_id": "c", "method": "POST", "url": endpoint, "body": body}
    of = await sqlite_bench.expanded(msgspec.json.encode(line), endpoint=endpoint)
    await sqlite_bench.answer()
    ended = await sqlite_bench.collected(of)
    (told,) = await sqlite_bench.read(ended.output_file_id)
    kind = "response" if endpoint is BatchEndpoint.RESPONSES else "chat.completion"
    assert told["response"]["body"]["object"] == kind


async def test_while_somebody_dispatches_messages_are_held_for_him(bench: Bench) -> None:
    bench.sent.holds = True
    await bench.expanded(lines_of(chat(1), chat(2)))
    assert {each.held_at for each in await bench.messages()} == {bench.clock.now()}


async def test_who_dies_at_any_statement_is_followed_and_nothing_is_doubled(bench: Bench) -> None:
    content = lines_of(*LINES)
    for number in count(1, 2):
        of = await bench.ask(content)
        before = await bench.count()
        with dying_at(bench.database, number) as statements:
            await bench.expander()
        await bench.expander()
        await bench.expander()
        await _check_whole(bench, of.id, before)
        bench.clock.advance(60)
        if not statements.has_died:
            break
    assert number > 9


async def test_expanders_side_by_side_write_each_line_once(bench: Bench) -> None:
    of = await bench.ask(lines_of(*LINES))
    several = [bench.expanding() for _ in range(4)]
    await asyncio.gather(*(expander() for expander in several))
    await bench.expander()
    await _check_whole(bench, of.id, 0)


async def test_a_late_expander_changes_nothing(bench: Bench) -> None:
    asked = await bench.ask(lines_of(*LINES))
    await bench.expander.step(asked)
    begun = await bench.now(asked)
    await bench.expander()
    await bench.expander.step(begun)
    await bench.expander.step(asked)
    await _check_whole(bench, asked.id, 0)
    await bench.answer()
    ended = await bench.collected(begun)
    assert ended.state is BatchState.COMPLETED
    await bench.expander.step(begun)
    await bench.expander.step(asked)
    assert await bench.now(begun) == ended


async def test_an_input_that_is_deleted_while_it_is_read_ends_there(bench: Bench) -> None:
    of = await bench.ask(lines_of(*(chat(n, "x" * 2000) for n in range(450))))
    await bench.expander.step(of)
    begun = await bench.now(of)
    await bench.store.delete(of.content_id, limit=100)
    await bench.expander.step(begun)
    ended = await bench.now(of)
    assert ended.expanded_at is not None
    assert ended.total == 0
    assert ended.errors is not None
    assert ended.errors[0].code == "input_file_deleted"
    assert (await bench.collected(of)).state is BatchState.COMPLETED


async def test_the_memory_of_an_expander_does_not_grow_with_its_batch(sqlite_bench: Bench) -> None:
    async def peak(lines: int) -> int:
        content = b"".join(chat(n) + b"\n" for n in range(lines))
        of = await sqlite_bench.ask(content)
        await sqlite_bench.expander.step(of)
        begun = await sqlite_bench.now(of)
        del content
        gc.collect()
        tracemalloc.start()
        await sqlite_bench.expander.step(begun)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    sqlite_bench.sent.keeps = False
    await peak(400)  # what is loaded once
    assert await peak(4_000) < 1.5 * await peak(1_000)


async def _check_whole(bench: Bench, batch_id: str, before: int) -> None:
    of = await bench.catalogue.find(batch_id, tenant_id=TENANT)
    assert of.expanded_at is not None
    assert of.total == len(LINES)
    lines = await bench.lines(of)
    assert [line for line, *_ in lines] == [*range(1, len(LINES) + 1)]
    assert [custom_id for _, custom_id, _ in lines] == [f"c{n}" for n in range(len(LINES))]
    assert len({message_id for *_, message_id in lines}) == 150
    assert await bench.count() - before == 150

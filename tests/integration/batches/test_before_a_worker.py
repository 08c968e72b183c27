"""A batch before a real worker, which is killed on the way: expander and collector with it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest

from shared.batches.batch import Batch, NewBatch
from shared.batches.catalogue import BatchCatalogue
from shared.batches.items import BatchItems
from shared.batches.state import BatchEndpoint, BatchState
from shared.files.content_store import read_pieces
from shared.files.database_content import DatabaseContent
from shared.files.drafts import ContentDrafts
from shared.files.file_catalogue import FileCatalogue
from shared.files.stored_file import FileLabel, FilePurpose
from shared.files.upload import Uploads
from shared.settings.files import FileSettings
from tests.integration.batches.bench import chat, lines_of
from tests.integration.conftest import OneMachine
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import TENANT, Road, eventually, forget_leases
from tests.integration.workers.stack import Stack, openai_link


@pytest.fixture(scope="module")
def stack(one_machine: OneMachine, provider: ProviderThread) -> Stack:
    return one_machine(openai_link(provider.url))


async def test_lines_end_as_they_should_though_the_worker_is_killed_at_every_stage(
    worker: AgentWorker, provider: ProviderThread, road: Road
) -> None:
    texts = [f"Say {n % 120}" for n in range(490)]
    bad = [chat(n, temperature=9) for n in range(490, 500)]
    content = lines_of(*(chat(n, text) for n, text in enumerate(texts)), *bad)
    of = await _ask(road, content)
    catalogue, items = BatchCatalogue(road.database, road.clock), BatchItems(road.database)

    async def now() -> Batch:
        return await catalogue.find(of.id, tenant_id=TENANT)

    async def is_valid() -> bool:
        return (await now()).total is not None

    async def some_are_answered() -> bool:
        return (await items.counts(await now())).completed >= 20

    async def all_are_answered() -> bool:
        counts = await items.counts(await now())
        return counts.total == 500 and counts.waiting == 0

    for stage in (is_valid, some_are_answered, all_are_answered):
        await eventually(stage, stage.__name__)
        worker.kill()
        await forget_leases(road.database)
        worker.start()

    async def has_ended() -> bool:
        return (await now()).state.is_terminal

    await eventually(has_ended, "its end")
    ended = await now()
    assert ended.state is BatchState.COMPLETED
    assert ended.counts is not None
    assert (ended.counts.total, ended.counts.completed, ended.counts.failed) == (500, 490, 10)
    told = await _lines(road, ended.output_file_id)
    assert [each["custom_id"] for each in told] == [f"c{n}" for n in range(490)]
    assert all(each["response"]["status_code"] == 200 for each in told)
    refused = await _lines(road, ended.error_file_id)
    assert len(refused) == 10
    # What was in hand when a worker died is asked once more, and nothing else is.
    asked = Counter(provider.calls_by_question())
    assert len(asked) == 120
    assert max(asked.values()) <= 4
    assert ended.usage is not None
    assert ended.usage.output_tokens > 0


async def _ask(road: Road, content: bytes) -> Batch:
    settings = FileSettings()
    store, drafts = (
        DatabaseContent(road.database),
        ContentDrafts(road.database, settings, road.clock),
    )
    upload = await Uploads(drafts, store, settings, road.clock).begin(TENANT)
    await upload.write(content)
    file = await upload.finish(FileLabel("in.jsonl", FilePurpose.BATCH))
    new = NewBatch(
        tenant_id=TENANT,
        endpoint=BatchEndpoint.CHAT_COMPLETIONS,
        content_id=file.content_id,
        input_bytes=file.bytes,
        input_file_id=file.id,
        window_seconds=3600,
    )
    return await BatchCatalogue(road.database, road.clock).create(new)


async def _lines(road: Road, file_id: str | None) -> list[dict[str, Any]]:
    file = await FileCatalogue(road.database, road.clock).find(file_id or "", tenant_id=TENANT)
    assert file is not None
    pieces = await read_pieces(DatabaseContent(road.database), file.content_id, file.bytes)
    return [msgspec.json.decode(line) for line in b"".join(pieces or []).splitlines()]

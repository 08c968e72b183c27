"""Spans of what an indexer does and of a search, as a collector gets them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.assembling import assemble
from shared.settings.telemetry import TelemetrySettings
from shared.telemetry.open_tracing import open_tracing
from tests.integration.indexer.pipeline.indexing_stage import IndexingStage
from tests.servers.collector import running_collector

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_job_is_told_from_its_scan_to_what_is_retired_and_no_text_of_it(
    stage: IndexingStage,
) -> None:
    async with running_collector() as (collector, endpoint):
        tracing = open_tracing(TelemetrySettings(traces_endpoint=endpoint), "indexer")
        ground = replace(stage.ground, tracing=tracing)
        traced = replace(stage, ground=ground, machinery=assemble(ground))
        traced.write("a.md", "Mallards.\n")
        job = await traced.scan()
        await traced.index()
        (document,) = (await traced.documents()).values()
        (traced.folder / "a.md").unlink()
        await traced.scan(remove_anyway=True)
        await traced.machinery.retirement()
        await tracing.close()
    spans = collector.spans
    group = spans["index documents"]
    assert {"scan", "read", "embed", "write", "finish", "retire"} <= spans.keys()
    assert {spans[each].trace_id for each in ("read", "embed", "write")} == {group.trace_id}
    assert spans["write"].parent_span_id == group.span_id
    assert spans["read"].parent_span_id == spans["prepare"].span_id
    told = {each.key: each.value.string_value for each in spans["read"].attributes}
    assert told["forebay.document_id"] == document.id
    assert told["forebay.job_id"] == job.id
    assert "Mallards" not in str(collector.exports)

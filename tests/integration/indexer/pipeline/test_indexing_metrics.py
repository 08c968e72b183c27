"""What Prometheus is told of indexing."""

from __future__ import annotations

import pytest

from tests.integration.indexer.pipeline.indexing_stage import IndexingStage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_documents_are_counted_by_outcome_and_chunks_by_where_their_vectors_are_from(
    stage: IndexingStage,
) -> None:
    stage.write("ducks.md", "# Ducks\n\nThey swim.\n")
    stage.write("same.md", "# Ducks\n\nThey swim.\n")
    await stage.offer()
    (stage.folder / "same.md").unlink()
    await stage.index()
    stage.write("ducks.md", "# Ducks\n\nThey swim.\n\n# Geese\n\nThey fly.\n")
    await stage.offer()
    await stage.index()

    told = stage.ground.metrics.render().decode()
    assert 'forebay_indexed_documents_total{outcome="completed"} 2.0' in told
    assert 'forebay_indexed_chunks_total{vectors="embedded"} 2.0' in told
    assert 'forebay_indexed_chunks_total{vectors="reused"} 1.0' in told
    for step in ("prepare", "embed", "write", "finish"):
        count = f'forebay_indexing_step_duration_seconds_count{{step="{step}"}} '
        assert count in told
        assert f"{count}0.0" not in told

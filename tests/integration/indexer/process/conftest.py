"""Indexers as processes, on a ledger and a broker of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.indexer.process.indexer_process import IndexerGround, IndexerProcess


@pytest.fixture
def ground(amqp_url: str, migrated_sqlite_url: str, tmp_path: Path) -> IndexerGround:
    return IndexerGround(amqp_url, migrated_sqlite_url, tmp_path)


@pytest.fixture
def indexers() -> Iterator[list[IndexerProcess]]:
    """Those of a test; killed after it."""
    started: list[IndexerProcess] = []
    yield started
    for each in started:
        each.process.kill()

"""A door and a real indexer on one ledger, one broker and one embedded store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from shared.settings import Settings
from tests.integration.indexer.process.indexer_process import IndexerGround, IndexerProcess


@pytest.fixture
def ground(redis_url: str, migrated_sqlite_url: str, tmp_path: Path) -> IndexerGround:
    return IndexerGround(redis_url, migrated_sqlite_url, tmp_path)


@pytest.fixture
def settings(settings: Settings, ground: IndexerGround) -> Settings:
    """Those of the door: it searches where the indexer writes."""
    return msgspec.structs.replace(settings, index=ground.settings.index)


@pytest.fixture
def indexer(ground: IndexerGround) -> Iterator[IndexerProcess]:
    process = IndexerProcess(ground).start()
    yield process
    process.process.kill()

"""Ledger, shard and words, each put back to any day of several, by chance."""

from __future__ import annotations

import pytest

from tests.integration.indexer.backups.backed_up import BackedUp
from tests.integration.indexer.backups.conftest import reader, site
from tests.integration.indexer.backups.test_backups import days_by_chance

__all__ = ["reader", "site"]
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("seed", range(10))
async def test_they_add_up_after_a_repair(site: BackedUp, seed: int) -> None:
    await days_by_chance(site, seed, days=5)

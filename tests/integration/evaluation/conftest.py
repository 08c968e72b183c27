"""A catalogue of evaluations on either database."""

from __future__ import annotations

import pytest

from shared.evaluation.catalogue import EvaluationCatalogue
from shared.persistence.engine import Database
from tests.integration.persistence.conftest import (
    answer_message,
    claims,
    clock,
    database,
    ledger,
    new_message,
    settings,
)

__all__ = ["answer_message", "claims", "clock", "database", "ledger", "new_message", "settings"]


@pytest.fixture
async def catalogue(database: Database) -> EvaluationCatalogue:
    return EvaluationCatalogue(database)

"""A catalogue of evaluations on either database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.clock import ManualClock
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.judging.judge import Judge
from shared.evaluation.judging.verdicts import JudgeVerdicts
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database
from shared.settings.watching.evaluation import EvaluationSettings
from tests.integration.persistence.conftest import (
    AnswerMessage,
    NewMessage,
    answer_message,
    claims,
    clock,
    database,
    ledger,
    new_message,
    settings,
)
from workers.judging.judging_round import JudgingRound
from workers.judging.windows import JudgedWindows

from .scripted_judge import SETTINGS, ScriptedJudge

__all__ = ["answer_message", "claims", "clock", "database", "ledger", "new_message", "settings"]


Say = Callable[..., Any]
TENANT = "ten_1"


@pytest.fixture
def say(new_message: NewMessage, answer_message: AnswerMessage, clock: ManualClock) -> Say:
    """One message that was answered; each a second after the one before."""

    async def said(text: str, body: dict[str, Any] | None = None, **columns: Any) -> MessageRecord:
        clock.advance(1)
        # Ids tell when a message came; those of one test come within a millisecond.
        stamp = f"resp_{int(clock.now().timestamp() * 1000) << 80:032x}"
        columns.setdefault("written", json.dumps({"input": text, **(body or {})}))
        written = columns.pop("written")
        record = new_message(id=stamp, body=written, tenant_id=TENANT, **columns)
        return await answer_message(record, output_text=f"You said: {text}")

    return said


@pytest.fixture
async def catalogue(database: Database) -> EvaluationCatalogue:
    return EvaluationCatalogue(database)


@pytest.fixture
def judge() -> ScriptedJudge:
    return ScriptedJudge()


@pytest.fixture
def windows(database: Database) -> JudgedWindows:
    return JudgedWindows(database)


Rounds = Callable[..., JudgingRound]


@pytest.fixture
def a_round(database: Database, clock: ManualClock, judge: ScriptedJudge) -> Rounds:
    """As a worker makes one; another is another worker's."""

    def made(settings: EvaluationSettings = SETTINGS) -> JudgingRound:
        asking = Judge("judge", ask=judge.ask, verdicts=JudgeVerdicts(database, clock))
        return JudgingRound(asking, settings, database=database, clock=clock, round_seconds=300)

    return made

"""`forebay variants`: side by side, and promoted only by runs that were answered under them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.cli.__main__ import FAILED, run
from shared.clock import ManualClock
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.kept_run import CaseResult, KeptRun, RunState
from shared.messages.record import MessageRecord
from shared.outcomes.closing import QUIET, OutcomeRound
from shared.persistence.engine import Database
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics

from .conftest import AnswerMessage, NewMessage

VARIANTS = {"warm": {"share": 0.2, "system_prefix": "Be kind."}, "low": {"large_from": 0.1}}
CASES = 40


@pytest.fixture
def clock() -> ManualClock:
    """Of now: the command has the time of day."""
    return ManualClock(datetime.now(UTC) - timedelta(hours=1))


@pytest.fixture(autouse=True)
def surroundings(migrated_ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_ledger_url)
    monkeypatch.setenv("FOREBAY_VARIANTS", json.dumps(VARIANTS))


async def kept_run(
    name: str, database: Database, clock: ManualClock, answered: list[MessageRecord]
) -> str:
    catalogue = EvaluationCatalogue(database)
    now = clock.now()
    whole = {"set_name": "s", "set_digest": "d", "version": "1", "state": RunState.COMPLETED}
    await catalogue.begin(KeptRun(id=name, began_at=now, cases=len(answered), **whole))
    results = [
        CaseResult(
            case_id=f"c{number}",
            conversation=f"c{number}",
            response_id=record.id,
            state="completed",
            passed=number != 0,
            finished_at=now,
        )
        for number, record in enumerate(answered)
    ]
    await catalogue.keep(name, results)
    return name


async def test_figures_stand_side_by_side_and_a_run_under_the_variant_promotes_it(
    answer_message: AnswerMessage,
    new_message: NewMessage,
    database: Database,
    settings: LedgerSettings,
    clock: ManualClock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def typed(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert await asyncio.to_thread(run, ["variants", *words]) == code
        said = capsys.readouterr()
        return said.out + said.err

    usual = [await answer_message(new_message()) for _ in range(CASES)]
    warm = [await answer_message(new_message(), variant="warm") for _ in range(CASES)]
    clock.advance(QUIET.total_seconds() + 1)
    await OutcomeRound(database, settings, Metrics(), clock, version="1")()
    assert json.loads(await typed("list", "--json")).keys() == VARIANTS.keys()
    both = json.loads(await typed("compare", "warm", "--json"))
    assert {name: each["conversations"] for name, each in both.items()} == {
        "control": CASES,
        "warm": CASES,
    }
    assert "100.0%" in await typed("compare", "warm")
    before = await kept_run("eval_1", database, clock, usual)
    after = await kept_run("eval_2", database, clock, warm)
    assert "[variants.warm]\nshare = 1.0" in await typed(
        "promote", "warm", after, before, "--margin", "0.1"
    )
    refused = await typed("promote", "warm", before, after, code=FAILED)
    assert "was answered under control, and not under warm alone" in refused
    assert "no variant 'cold'" in await typed("compare", "cold", code=FAILED)

"""The tables of evaluations: runs, what each case came to, and what judges said.

No question and no answer is in them: a result names the response that it is of, which goes when it
is erased or its time is up.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Boolean, Column, Float, Integer, Numeric, String, Table, Text

from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata


class RunState(StrEnum):
    """running ──► completed | stopped (whoever ran it went away, or had enough)"""

    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"


evaluation_run = Table(
    "evaluation_run",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("set_name", String(128), nullable=False),
    Column("set_digest", String(64), nullable=False),
    # What was evaluated, in the words of whoever ran it: a release, a prompt, a model.
    Column("version", String(128), nullable=False),
    Column("variant", String(64)),
    Column("state", Enumerated(RunState), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("cases", Integer, nullable=False),
    Column("cost", Numeric(18, 9)),
    Column("judge_cost", Numeric(18, 9)),
    # The model and the digest of the rubric, where a judge had to say anything.
    Column("judge_model", String(128)),
    Column("judge_rubric", String(64)),
    # JSON: each figure with its interval.
    Column("scores", Text),
)

# No foreign key: a result is written by whoever wrote its run, and a run is never deleted.
evaluation_result = Table(
    "evaluation_result",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("case_id", String(128), primary_key=True),
    Column("repeat", Integer, primary_key=True),
    Column("conversation", String(128), nullable=False),
    Column("weight", Float, nullable=False),
    Column("response_id", String(64)),
    Column("state", String(32), nullable=False),
    # NULL where it cannot be said: no check failed, and one has no verdict.
    Column("passed", Boolean),
    # NULL where nothing of the case asks for it.
    Column("hallucinated", Boolean),
    # JSON: each check with what it came to, and why.
    Column("checks", Text, nullable=False),
    Column("seconds", Float),
    Column("cost", Numeric(18, 9)),
    Column("model", String(128)),
    Column("answer_digest", String(64)),
    Column("finished_at", UtcDateTime, nullable=False),
)

# A judge is asked once for the same: it is its model and rubric, and the answer with its question.
judge_verdict = Table(
    "judge_verdict",
    metadata,
    Column("judge", String(64), primary_key=True),
    Column("answer_digest", String(64), primary_key=True),
    Column("passed", Boolean, nullable=False),
    Column("cost", Numeric(18, 9)),
    Column("given_at", UtcDateTime, nullable=False),
)

# How far a judge says what people say: the newest that was measured counts.
judge_agreement = Table(
    "judge_agreement",
    metadata,
    Column("judge", String(64), primary_key=True),
    Column("measured_at", UtcDateTime, primary_key=True),
    Column("labels_digest", String(64), nullable=False),
    Column("labels", Integer, nullable=False),
    Column("without_verdict", Integer, nullable=False),
    # Share of equal verdicts, and Cohen's kappa, which is NULL where one of both never varies.
    Column("agreement", Float, nullable=False),
    Column("kappa", Float),
)

# One time whose answers are judged by the round of workers; the next begins where it ends.
judged_window = Table(
    "judged_window",
    metadata,
    Column("starts_at", UtcDateTime, primary_key=True),
    Column("ends_at", UtcDateTime, nullable=False),
    # Of the answers that were chosen in it, in their order: how far the round is.
    Column("done", Integer, nullable=False),
    Column("judged", Integer, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("without_verdict", Integer, nullable=False),
    # Answers that the day's budget did not suffice for.
    Column("left_over", Integer, nullable=False),
    # US dollars of all askings whose cost is known, and how many are not.
    Column("cost", Numeric(18, 9), nullable=False),
    Column("unknown_costs", Integer, nullable=False),
    Column("finished_at", UtcDateTime),
    # JSON: how many answers have no verdict, by the reason; and why nothing is judged right now.
    Column("reasons", Text),
    Column("fault", Text),
    # Of `judged` and `passed`, those that were drawn by chance and not for being suspicious.
    Column("drawn", Integer),
    Column("drawn_passed", Integer),
)

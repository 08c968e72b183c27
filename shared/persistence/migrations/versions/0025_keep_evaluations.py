"""Keep evaluations: runs, results, and what judges said"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_ID = sa.String(length=64)
_NAME = sa.String(length=128)
_MONEY = sa.Numeric(precision=18, scale=9)


def upgrade() -> None:
    op.create_table(
        "evaluation_run",
        sa.Column("id", _ID, nullable=False),
        sa.Column("set_name", _NAME, nullable=False),
        sa.Column("set_digest", _ID, nullable=False),
        sa.Column("version", _NAME, nullable=False),
        sa.Column("variant", _ID),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("began_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("cost", _MONEY),
        sa.Column("judge_cost", _MONEY),
        sa.Column("judge_model", _NAME),
        sa.Column("judge_rubric", _ID),
        sa.Column("scores", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation_run")),
    )
    _results()
    _judges()


def downgrade() -> None:
    for table in ("judge_agreement", "judge_verdict", "evaluation_result", "evaluation_run"):
        op.drop_table(table)


def _results() -> None:
    op.create_table(
        "evaluation_result",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("case_id", _NAME, nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False),
        sa.Column("conversation", _NAME, nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("response_id", _ID),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("passed", sa.Boolean()),
        sa.Column("hallucinated", sa.Boolean()),
        sa.Column("checks", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float()),
        sa.Column("cost", _MONEY),
        sa.Column("model", _NAME),
        sa.Column("answer_digest", _ID),
        sa.Column("finished_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "case_id", "repeat", name=op.f("pk_evaluation_result")),
    )


def _judges() -> None:
    op.create_table(
        "judge_verdict",
        sa.Column("judge", _ID, nullable=False),
        sa.Column("answer_digest", _ID, nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("cost", _MONEY),
        sa.Column("given_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("judge", "answer_digest", name=op.f("pk_judge_verdict")),
    )
    op.create_table(
        "judge_agreement",
        sa.Column("judge", _ID, nullable=False),
        sa.Column("measured_at", _MOMENT, nullable=False),
        sa.Column("labels_digest", _ID, nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("without_verdict", sa.Integer(), nullable=False),
        sa.Column("agreement", sa.Float(), nullable=False),
        sa.Column("kappa", sa.Float()),
        sa.PrimaryKeyConstraint("judge", "measured_at", name=op.f("pk_judge_agreement")),
    )

"""Begin jobs by schedule"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_ID = sa.String(length=64)


def upgrade() -> None:
    op.create_table(
        "schedule",
        sa.Column("id", _ID, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("cron", sa.String(length=128), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
    )
    op.create_index("uq_schedule_tenant_id_name", "schedule", ["tenant_id", "name"], unique=True)
    _partial("ix_schedule_next_at", "schedule", "next_at")
    op.create_table(
        "schedule_run",
        sa.Column("schedule_id", _ID, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("late_seconds", sa.Integer(), nullable=False),
        sa.Column("claimed_until", _MOMENT, nullable=True),
        sa.Column("begun_at", _MOMENT, nullable=True),
        sa.Column("result_id", _ID, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("schedule_id", "due_at", name=op.f("pk_schedule_run")),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name=op.f("fk_schedule_run_schedule_id")
        ),
    )
    _partial("ix_schedule_run_claimed", "schedule_run", "claimed_until")


def downgrade() -> None:
    op.drop_table("schedule_run")
    op.drop_table("schedule")


def _partial(name: str, table: str, column: str) -> None:
    where = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, table, [column], postgresql_where=where, sqlite_where=where)

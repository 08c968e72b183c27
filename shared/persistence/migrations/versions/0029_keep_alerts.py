"""Keep alerts: how each stands, its history, and who was told"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_ID = sa.String(length=64)
_STATE = sa.String(length=32)


def upgrade() -> None:
    op.create_table(
        "alert_clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("read_at", _MOMENT, nullable=False),
        sa.Column("held_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_clock")),
        postgresql_with={"fillfactor": 25},
    )
    op.create_table(
        "alert",
        sa.Column("fingerprint", _ID, nullable=False),
        sa.Column("rule", _ID, nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("severity", _STATE, nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("state", _STATE, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("began_at_seconds", sa.Float(), nullable=False),
        sa.Column("clear_at_seconds", sa.Float(), nullable=True),
        sa.Column("silent_at_seconds", sa.Float(), nullable=True),
        sa.Column("resolved_at_seconds", sa.Float(), nullable=True),
        sa.Column("flaps", sa.Boolean(), nullable=False),
        sa.Column("told_as", _STATE, nullable=True),
        sa.Column("told_at_seconds", sa.Float(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=128), nullable=True),
        sa.Column("acknowledged_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_alert")),
    )
    op.create_table(
        "alert_rule",
        sa.Column("name", _ID, nullable=False),
        sa.Column("first_data_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_alert_rule")),
    )
    _create_history()
    _create_silences()
    _create_messages()


def _create_history() -> None:
    op.create_table(
        "alert_event",
        sa.Column("id", _ID, nullable=False),
        sa.Column("fingerprint", _ID, nullable=False),
        sa.Column("rule", _ID, nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("severity", _STATE, nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("kind", _STATE, nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("by", sa.String(length=128), nullable=True),
        sa.Column("silence_id", _ID, nullable=True),
        sa.Column("due_at_seconds", sa.Float(), nullable=True),
        sa.Column("message_id", _ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_event")),
    )
    _partial("ix_alert_event_due", "alert_event", ["due_at_seconds"], "due_at_seconds IS NOT NULL")


def _create_silences() -> None:
    op.create_table(
        "alert_silence",
        sa.Column("id", _ID, nullable=False),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_silence")),
    )
    op.create_index("ix_alert_silence_until", "alert_silence", ["until"])


def _create_messages() -> None:
    op.create_table(
        "alert_message",
        sa.Column("id", _ID, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_message")),
    )
    op.create_table(
        "alert_delivery",
        sa.Column("message_id", _ID, nullable=False),
        sa.Column("sink", _ID, nullable=False),
        sa.Column("state", _STATE, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("message_id", "sink", name=op.f("pk_alert_delivery")),
    )
    _partial("ix_alert_delivery_due", "alert_delivery", ["sink", "due_at"], "due_at IS NOT NULL")


def downgrade() -> None:
    for table in ("alert_delivery", "alert_message", "alert_silence", "alert_event"):
        op.drop_table(table)
    for table in ("alert_rule", "alert", "alert_clock"):
        op.drop_table(table)


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, postgresql_where=where, sqlite_where=where)

"""Index what each sweep takes, so that no statement on a timer reads a backlog

On Postgres the indexes are built and dropped while messages go on being accepted. One that a
broken run left behind, which Postgres calls invalid, is built anew.
"""

import sqlalchemy as sa
from alembic import op

from shared.persistence.migrations.message_indexes import MessageIndex, replace_indexes

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NEW = (
    MessageIndex("ix_message_due", ("wake_at",), "state || '/due' = 'queued/due'"),
    MessageIndex("ix_message_expiring", ("deadline",), "state || '/expiring' = 'queued/expiring'"),
    MessageIndex(
        "ix_message_waiting", ("lane", "accepted_at"), "state || '/waiting' = 'queued/waiting'"
    ),
    MessageIndex(
        "ix_message_leased", ("lease_until",), "state || '/leased' = 'in_progress/leased'"
    ),
)
_OLD = (
    MessageIndex(
        "ix_message_open",
        ("state", "wake_at"),
        "state IN ('queued', 'in_progress', 'requires_action')",
    ),
)


def upgrade() -> None:
    replace_indexes(_OLD, by=_NEW)
    op.create_table(
        "role_lease",
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_role_lease")),
    )


def downgrade() -> None:
    replace_indexes(_NEW, by=_OLD)
    op.drop_table("role_lease")

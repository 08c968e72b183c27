"""Let one row be the lease of all that a worker holds, so that renewing writes no message anew

A worker of the version before goes on renewing in the rows of its messages, by which the sweeps of
both versions take them back.
"""

import sqlalchemy as sa
from alembic import op

from shared.persistence.migrations.message_indexes import MessageIndex, replace_indexes

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NEW = (
    MessageIndex(
        "ix_message_held",
        ("claimed_by",),
        "state || '/held' = 'in_progress/held' AND lease_until IS NULL",
    ),
    MessageIndex(
        "ix_message_lease_until",
        ("lease_until",),
        "state || '/leased' = 'in_progress/leased' AND lease_until IS NOT NULL",
    ),
)
_OLD = (
    MessageIndex(
        "ix_message_leased", ("lease_until",), "state || '/leased' = 'in_progress/leased'"
    ),
)
# What a worker of the version before would never take back.
_WITHOUT_A_LEASE = (
    "UPDATE message SET lease_until = COALESCE(claimed_at, accepted_at) "
    "WHERE state = 'in_progress' AND lease_until IS NULL"
)


def upgrade() -> None:
    replace_indexes(_OLD, by=_NEW)
    op.create_table(
        "worker_lease",
        sa.Column("worker", sa.String(length=128), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_worker_lease")),
        postgresql_with={"fillfactor": 25},
    )


def downgrade() -> None:
    op.execute(_WITHOUT_A_LEASE)
    replace_indexes(_NEW, by=_OLD)
    op.drop_table("worker_lease")

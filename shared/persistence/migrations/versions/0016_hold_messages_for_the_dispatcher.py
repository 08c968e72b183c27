"""Hold messages for the dispatcher, and count what each flow has used

Messages that are there were published by their doors: they are held by nobody.
"""

import sqlalchemy as sa
from alembic import op

from shared.persistence.migrations.message_indexes import MessageIndex, replace_indexes

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_UNRELEASED = (
    "state || '/unreleased' = 'queued/unreleased' AND held_at IS NOT NULL AND released_at IS NULL"
)
_NEW = (
    MessageIndex("ix_message_unreleased", ("lane", "tenant_id", "deadline", "id"), _UNRELEASED),
    MessageIndex("ix_message_held_at", ("held_at",), _UNRELEASED),
)


def upgrade() -> None:
    for name in ("held_at", "released_at"):
        op.add_column("message", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("worker_lease", sa.Column("concurrency", sa.Integer(), nullable=True))
    op.add_column("worker_lease", sa.Column("lanes", sa.String(64), nullable=True))
    op.create_table(
        "charge",
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("lane", sa.String(32), nullable=False),
        sa.Column("units", sa.Double(), nullable=False),
        sa.Column("charged_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "claim", "ordinal", name=op.f("pk_charge")),
    )
    op.create_table(
        "flow",
        sa.Column("lane", sa.String(32), nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("counter", sa.Double(), nullable=False),
        sa.Column("charged_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("lane", "tenant_id", name=op.f("pk_flow")),
        postgresql_with={"fillfactor": 50},
    )
    replace_indexes((), by=_NEW)


def downgrade() -> None:
    replace_indexes(_NEW, by=())
    op.drop_table("flow")
    op.drop_table("charge")
    op.drop_column("worker_lease", "lanes")
    op.drop_column("worker_lease", "concurrency")
    op.drop_column("message", "released_at")
    op.drop_column("message", "held_at")

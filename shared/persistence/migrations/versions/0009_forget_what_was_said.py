"""Let what was said go before the row that booked it: unstored messages, erasures, own retention

A door of the version before writes no `store`: what it accepts is kept as it kept it. One that
finds a message without its text tells a response that says nothing.
"""

import sqlalchemy as sa
from alembic import op

from shared.persistence.migrations.message_indexes import MessageIndex, replace_indexes

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_UNSTORED = "store IS FALSE AND erased_at IS NULL"
_INDEXES = (
    MessageIndex("ix_message_unstored", ("finished_at",), _UNSTORED),
    MessageIndex("ix_message_fetched", ("replied_at",), f"{_UNSTORED} AND replied_at IS NOT NULL"),
)


def upgrade() -> None:
    op.add_column("message", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("message", sa.Column("store", sa.Boolean(), nullable=True))
    op.add_column("tenant", sa.Column("retention_days", sa.Integer(), nullable=True))
    _partial("ix_tenant_retention_days", "tenant", "retention_days", of="retention_days")
    op.create_table(
        "erasure",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("waits_for", "messages", "cancelled", "stored_answers")
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    _partial("ix_erasure_due_at", "erasure", "due_at", of="due_at")
    op.create_index("ix_erasure_completed_at", "erasure", ["completed_at"])
    whose = ("tenant_id", "subject", "name")
    _partial("uq_erasure_tenant_id_subject_name", "erasure", *whose, of="name", unique=True)
    replace_indexes((), by=_INDEXES)


def downgrade() -> None:
    replace_indexes(_INDEXES, by=())
    op.drop_table("erasure")
    op.drop_index("ix_tenant_retention_days", "tenant")
    op.drop_column("tenant", "retention_days")
    op.drop_column("message", "store")
    op.drop_column("message", "erased_at")


def _partial(name: str, table: str, *columns: str, of: str, unique: bool = False) -> None:
    where = sa.text(f"{of} IS NOT NULL")
    op.create_index(
        name, table, [*columns], unique=unique, postgresql_where=where, sqlite_where=where
    )

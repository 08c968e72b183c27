"""Keep what was handed to providers as batches of their own"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_NOT_ENDED = "state <> 'ended'"
_ENDED = "state = 'ended'"


def upgrade() -> None:
    op.create_table(
        "provider_batch",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("remote_id", sa.String(length=255), nullable=True),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pull_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_batch")),
    )
    _partial("ix_provider_batch_look_at", ["look_at"], _NOT_ENDED)
    _partial("ix_provider_batch_ended_at", ["provider", "ended_at"], _ENDED)


def downgrade() -> None:
    op.drop_table("provider_batch")


def _partial(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name, "provider_batch", columns, postgresql_where=condition, sqlite_where=condition
    )

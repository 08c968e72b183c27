"""Keep what conversations came to"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NAMES = {"tenant_id": 64, "version": 64, "model": 128, "route": 64, "variant": 64}
_SUMS = (
    *("conversations", "completed", "successes", "handed_off", "negative", "asked_again"),
    *("turns", "caught", "verdicts", "unknown_costs"),
)


def _names() -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(size), nullable=False) for name, size in _NAMES.items()]


def upgrade() -> None:
    op.create_table(
        "outcome",
        sa.Column("key", sa.String(64), nullable=False),
        *_names(),
        sa.Column("closed_at", _MOMENT, nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("caught", sa.Integer(), nullable=False),
        sa.Column("is_completed", sa.Boolean(), nullable=False),
        sa.Column("is_handed_off", sa.Boolean(), nullable=False),
        sa.Column("is_negative", sa.Boolean(), nullable=False),
        sa.Column("is_asked_again", sa.Boolean(), nullable=False),
        sa.Column("verdicts", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("cost", sa.Numeric(18, 9), nullable=False),
        sa.Column("unknown_costs", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_outcome")),
    )
    op.create_index("ix_outcome_closed_at", "outcome", ["closed_at"])
    op.create_index("ix_outcome_tenant_id_closed_at", "outcome", ["tenant_id", "closed_at"])
    op.create_table(
        "outcome_day",
        sa.Column("day", sa.String(10), nullable=False),
        *_names(),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("cost", sa.Numeric(18, 9), nullable=False),
        sa.PrimaryKeyConstraint("day", *_NAMES, name=op.f("pk_outcome_day")),
    )
    op.create_table(
        "outcome_place",
        sa.Column("walk", sa.String(32), nullable=False),
        sa.Column("place", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("walk", name=op.f("pk_outcome_place")),
    )


def downgrade() -> None:
    op.drop_table("outcome_place")
    op.drop_table("outcome_day")
    op.drop_table("outcome")

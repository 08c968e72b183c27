"""Keep what an answer has beside its text, and the kinds of tokens that it took

A worker of the version before writes none of it, and no message of its time asks for any: its rows
are read as answers of text alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KINDS = ("cache_write_tokens", "reasoning_tokens")


def upgrade() -> None:
    op.add_column("message", sa.Column("output_items", sa.Text(), nullable=True))
    for table in ("message", "attempt"):
        for name in _KINDS:
            op.add_column(table, sa.Column(name, sa.Integer(), nullable=True))


def downgrade() -> None:
    for table in ("message", "attempt"):
        for name in _KINDS:
            op.drop_column(table, name)
    op.drop_column("message", "output_items")

"""Keep what online judging looked at"""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcDateTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "judged_window",
        sa.Column("starts_at", UtcDateTime(), primary_key=True),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("done", "judged", "passed", "without_verdict", "left_over")
        ),
        sa.Column("cost", sa.Numeric(18, 9), nullable=False),
        sa.Column("unknown_costs", sa.Integer(), nullable=False),
        sa.Column("finished_at", UtcDateTime()),
    )


def downgrade() -> None:
    op.drop_table("judged_window")

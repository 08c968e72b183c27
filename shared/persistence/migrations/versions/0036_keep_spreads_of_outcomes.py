"""Keep squares and products of outcomes, so that intervals need no rows"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_NAMES = (
    *("caught_squared", "caught_turns", "turns_squared"),
    *("score_squared", "score_verdicts", "verdicts_squared", "cost_squared", "success_cost"),
)


def upgrade() -> None:
    for name in _NAMES:
        op.add_column("outcome_day", sa.Column(name, sa.Double(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("outcome_day", schema=None) as batch_op:
        for name in _NAMES:
            batch_op.drop_column(name)

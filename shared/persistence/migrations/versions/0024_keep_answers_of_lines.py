"""Keep what lines of batches come to that are no messages"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batch_item", sa.Column("answer", sa.Text()))
    op.add_column("batch_item", sa.Column("input_tokens", sa.Integer()))


def downgrade() -> None:
    op.drop_column("batch_item", "input_tokens")
    op.drop_column("batch_item", "answer")

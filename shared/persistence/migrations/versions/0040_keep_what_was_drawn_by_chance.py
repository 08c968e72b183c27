"""Keep how many judged answers were drawn by chance"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("judged_window", sa.Column("drawn", sa.Integer(), nullable=True))
    op.add_column("judged_window", sa.Column("drawn_passed", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("judged_window", schema=None) as batch_op:
        batch_op.drop_column("drawn_passed")
        batch_op.drop_column("drawn")

"""Keep why answers have no verdict of a judge"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("judged_window", sa.Column("reasons", sa.Text(), nullable=True))
    op.add_column("judged_window", sa.Column("fault", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("judged_window", schema=None) as batch_op:
        batch_op.drop_column("fault")
        batch_op.drop_column("reasons")

"""Let keys see less of the index, and describe collections

A key of before has no principals and goes on seeing everything of its tenant. A door of the version
before does not read them: it has no search, so nothing is shown.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("principals", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("delegates", sa.Boolean(), nullable=True))
    with op.batch_alter_table("collection", schema=None) as batch_op:
        batch_op.add_column(sa.Column("description", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("collection", schema=None) as batch_op:
        batch_op.drop_column("description")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_column("delegates")
        batch_op.drop_column("principals")

"""Set aside what a batch may cost"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batch", sa.Column("set_aside_each", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("batch", "set_aside_each")

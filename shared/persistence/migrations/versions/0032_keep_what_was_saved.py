"""Keep what stored answers saved"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("saved", sa.Numeric(precision=18, scale=9)))


def downgrade() -> None:
    op.drop_column("message", "saved")

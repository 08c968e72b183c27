"""Say which deployment of a provider was called

A worker of the version before names none, and its rows are those of a provider without any.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempt", sa.Column("deployment", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("attempt", "deployment")

"""Find batches by their age"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_batch_expires_at", "batch", ["expires_at"])


def downgrade() -> None:
    op.drop_index("ix_batch_expires_at", "batch")

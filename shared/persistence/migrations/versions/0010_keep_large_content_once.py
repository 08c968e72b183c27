"""Let messages refer to content: what is large of a body is kept once in its tenant

A door of the version before writes bodies whole, and a worker of this one reads both. What is
there stays as it is.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message_content",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("content_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_message_content_content_id_content")
        ),
        sa.PrimaryKeyConstraint("message_id", "content_id", name=op.f("pk_message_content")),
    )
    op.create_index("ix_message_content_content_id", "message_content", ["content_id"])


def downgrade() -> None:
    op.drop_index("ix_message_content_content_id", "message_content")
    op.drop_table("message_content")

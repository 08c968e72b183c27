"""Keep conversations: what callers say of them, put into them, and take out

A worker of the version before reads neither table: until it is gone it tells its models what the
messages of a conversation say, and nothing that callers put beside them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_conversation")),
    )
    _partial("ix_conversation_deleted_at", "conversation", "deleted_at", "deleted_at IS NOT NULL")
    op.create_table(
        "conversation_item",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("item", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint(
            "tenant_id", "conversation_id", "id", name=op.f("pk_conversation_item")
        ),
    )
    op.create_index(
        "ix_conversation_item_said",
        "conversation_item",
        ["tenant_id", "conversation_id", "said_at", "ordinal"],
    )
    _partial("ix_conversation_item_kept", "conversation_item", "said_at", "item IS NOT NULL")
    _partial("ix_conversation_item_taken_out", "conversation_item", "said_at", "item IS NULL")


def downgrade() -> None:
    op.drop_table("conversation_item")
    op.drop_table("conversation")


def _partial(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], postgresql_where=condition, sqlite_where=condition)

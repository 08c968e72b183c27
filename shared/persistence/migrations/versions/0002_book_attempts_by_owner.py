"""Book attempts by owner, so that they still tell who spent what once their message is deleted"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FROM_MESSAGE = sa.text(
    "UPDATE attempt SET "
    "tenant_id = (SELECT tenant_id FROM message WHERE message.id = attempt.message_id), "
    "user_id = (SELECT user_id FROM message WHERE message.id = attempt.message_id), "
    "lane = (SELECT lane FROM message WHERE message.id = attempt.message_id), "
    "booked_at = started_at"
)


def upgrade() -> None:
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tenant_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("user_id", sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column("lane", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("cached_tokens", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("is_estimated", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("booked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_FROM_MESSAGE)
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attempt_tenant_id_booked_at"), ["tenant_id", "booked_at"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempt_tenant_id_booked_at"))
        for name in ("booked_at", "is_estimated", "cached_tokens", "lane", "user_id", "tenant_id"):
            batch_op.drop_column(name)

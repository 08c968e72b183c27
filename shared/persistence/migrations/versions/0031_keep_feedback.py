"""Keep what people and judges say of answers"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("response_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("is_negative", sa.Boolean(), nullable=False),
        sa.Column("label", sa.String(64), nullable=True),
        sa.Column("original", sa.Text(), nullable=False),
        sa.Column("scale", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("entry", sa.String(64), nullable=True),
        sa.Column("earlier", sa.Text(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    unique = ["response_id", "name", "source"]
    op.create_index("uq_feedback_response_id_name_source", "feedback", unique, unique=True)
    in_time = ["tenant_id", "given_at", "id"]
    op.create_index("ix_feedback_tenant_id_given_at", "feedback", in_time)
    op.create_index("ix_feedback_given_at", "feedback", ["given_at"])
    negative = sa.text("is_negative")
    op.create_index(
        "ix_feedback_negative",
        "feedback",
        in_time,
        postgresql_where=negative,
        sqlite_where=negative,
    )


def downgrade() -> None:
    op.drop_table("feedback")

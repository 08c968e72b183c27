"""Keep files: content by digest in chunks, and the names that tenants gave it"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "content",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("removable_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content")),
    )
    op.create_index("uq_content_tenant_id_digest", "content", ["tenant_id", "digest"], unique=True)
    _partial("ix_content_removable_at", "content", "removable_at")
    op.create_table(
        "content_chunk",
        sa.Column("content_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_content_chunk_content_id")
        ),
        sa.PrimaryKeyConstraint("content_id", "ordinal", name=op.f("pk_content_chunk")),
    )
    if op.get_context().dialect.name == "postgresql":
        # Images and archives are compressed already: trying it again costs more than the disk.
        op.execute("ALTER TABLE content_chunk ALTER COLUMN body SET STORAGE EXTERNAL")
    op.create_table(
        "file",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("content_id", sa.String(length=64), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["content_id"], ["content.id"], name=op.f("fk_file_content_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
    )
    op.create_index("ix_file_tenant_id_id", "file", ["tenant_id", "id"])
    op.create_index("ix_file_tenant_id_purpose_id", "file", ["tenant_id", "purpose", "id"])
    op.create_index("ix_file_content_id", "file", ["content_id"])
    _partial("ix_file_expires_at", "file", "expires_at")
    op.create_table(
        "tenant_storage",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tenant_storage")),
    )


def downgrade() -> None:
    for table in ("tenant_storage", "file", "content_chunk", "content"):
        op.drop_table(table)


def _partial(name: str, table: str, column: str) -> None:
    condition = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, table, [column], postgresql_where=condition, sqlite_where=condition)

"""Keep the index: collections, their documents, and the chunks of these

Nobody of the version before reads any of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _collection()
    _collection_source()
    _document()
    _document_body()
    _chunk()


def downgrade() -> None:
    for table in ("chunk", "document_body", "document", "collection_source", "collection"):
        op.drop_table(table)


def _collection() -> None:
    op.create_table(
        "collection",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("life_days", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_active_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("generation", sa.String(length=64), nullable=False),
        sa.Column("next_generation", sa.String(length=64), nullable=True),
        sa.Column("leaving_generation", sa.String(length=64), nullable=True),
        sa.Column("leaving_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edition", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection")),
    )
    _partial("ix_collection_deleted_at", "collection", ["deleted_at"], "deleted_at IS NOT NULL")
    _partial("ix_collection_expires_at", "collection", ["expires_at"], "expires_at IS NOT NULL")
    op.create_index("ix_collection_generation", "collection", ["generation", "id"])
    _partial(
        "ix_collection_next_generation",
        "collection",
        ["next_generation"],
        "next_generation IS NOT NULL",
    )
    _partial("ix_collection_leaving_at", "collection", ["leaving_at"], "leaving_at IS NOT NULL")
    op.create_index("ix_collection_tenant_id_id", "collection", ["tenant_id", "id"])
    op.create_index("ix_collection_tenant_id_name", "collection", ["tenant_id", "name"])


def _collection_source() -> None:
    op.create_table(
        "collection_source",
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=512), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("commit_id", sa.String(length=64), nullable=True),
        sa.Column("branch", sa.String(length=256), nullable=True),
        sa.Column("indexed_through", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed", sa.Integer(), nullable=True),
        sa.Column("missing_digest", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("collection_id", "source", name=op.f("pk_collection_source")),
    )


def _document() -> None:
    op.create_table(
        "document",
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=512), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("file_id", sa.String(length=64), nullable=True),
        sa.Column("batch_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("error_code", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ver", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.String(length=64), nullable=True),
        sa.Column("principals", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=True),
        sa.Column("chunking", sa.Text(), nullable=True),
        sa.Column("generation", sa.String(length=64), nullable=True),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("usage_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_by", sa.String(length=64), nullable=True),
        sa.Column("job_id", sa.String(length=64), nullable=True),
        sa.Column("relabel", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("excused", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(length=128), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("collection_id", "id", name=op.f("pk_document")),
    )
    op.create_index("ix_document_batch_id", "document", ["batch_id", "id"])
    op.create_index(
        "ix_document_collection_id_source", "document", ["collection_id", "source", "id"]
    )
    op.create_index("ix_document_file_id", "document", ["file_id"])
    op.create_index("ix_document_id", "document", ["id"])
    op.create_index("ix_document_job_id_state", "document", ["job_id", "state"])
    op.create_index("ix_document_collection_id_state", "document", ["collection_id", "state", "id"])
    _partial("ix_document_removing", "document", ["due_at"], "state = 'removing'")
    _partial("ix_document_waiting", "document", ["due_at"], "state IN ('pending', 'in_progress')")


def _document_body() -> None:
    op.create_table(
        "document_body",
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("collection_id", "document_id", name=op.f("pk_document_body")),
    )


def _chunk() -> None:
    op.create_table(
        "chunk",
        sa.Column("point_id", sa.String(length=36), nullable=False),
        sa.Column("generation", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("ver", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("first_line", sa.Integer(), nullable=False),
        sa.Column("last_line", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("point_id", "generation", name=op.f("pk_chunk")),
    )
    op.create_index(
        "ix_chunk_document",
        "chunk",
        ["collection_id", "generation", "state", "document_id", "ordinal"],
    )
    _partial("ix_chunk_retired", "chunk", ["generation", "point_id"], "state = 'retired'")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, postgresql_where=condition, sqlite_where=condition)

"""Keep what indexing is done with: symbols of code, what was embedded, and jobs

Nobody of the version before reads any of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _symbol()
    _embedding()
    _index_job()
    _skipped_file()


def downgrade() -> None:
    for table in ("skipped_file", "index_job", "embedding", "symbol"):
        op.drop_table(table)


def _symbol() -> None:
    op.create_table(
        "symbol",
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("folded", sa.String(length=256), nullable=False),
        sa.Column("qualified", sa.String(length=256), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.Column("inside", sa.String(length=256), nullable=True),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("collection_id", "document_id", "ordinal", name=op.f("pk_symbol")),
    )
    op.create_index("ix_symbol_folded", "symbol", ["tenant_id", "folded", "role", "collection_id"])


def _embedding() -> None:
    op.create_table(
        "embedding",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("encoder", sa.String(length=128), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", "owner", "encoder", name=op.f("pk_embedding")),
    )


def _index_job() -> None:
    op.create_table(
        "index_job",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=512), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("commit_id", sa.String(length=64), nullable=True),
        sa.Column("branch", sa.String(length=256), nullable=True),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("held_back", sa.Integer(), nullable=False),
        sa.Column("embedded", sa.Integer(), nullable=False),
        sa.Column("reused", sa.Integer(), nullable=False),
        sa.Column("remove_anyway", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(length=128), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_job")),
    )
    op.create_index("ix_index_job_collection_id_id", "index_job", ["collection_id", "id"])
    op.create_index("ix_index_job_tenant_id_id", "index_job", ["tenant_id", "id"])
    to_scan = "state IN ('queued', 'scanning')"
    _partial("ix_index_job_indexing", "index_job", ["due_at"], "state = 'indexing'")
    _partial("ix_index_job_of_source", "index_job", ["collection_id", "source", "id"], to_scan)
    _partial("ix_index_job_to_scan", "index_job", ["due_at"], to_scan)


def _skipped_file() -> None:
    op.create_table(
        "skipped_file",
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "ordinal", name=op.f("pk_skipped_file")),
    )


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, postgresql_where=condition, sqlite_where=condition)

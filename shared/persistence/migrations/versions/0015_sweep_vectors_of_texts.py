"""Sweep vectors of texts that no document has any more

An indexer of the version before writes chunks without digests, and while a tenant has such a chunk
none of its vectors is swept; vectors that it keeps are first looked at when this version runs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("chunk", sa.Column("text_digest", sa.String(64), nullable=True))
    op.add_column("chunk", sa.Column("code_digest", sa.String(64), nullable=True))
    _partial("ix_chunk_text_digest", "text_digest", "text_digest IS NOT NULL")
    _partial("ix_chunk_without_digest", "tenant_id", "text_digest IS NULL")
    _partial("ix_chunk_code_digest", "code_digest", "code_digest IS NOT NULL")
    op.add_column("embedding", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("embedding", sa.Column("is_unnamed", sa.Boolean(), nullable=True))
    op.create_index("ix_embedding_seen_at", "embedding", ["seen_at"])


def downgrade() -> None:
    op.drop_index("ix_embedding_seen_at", "embedding")
    op.drop_column("embedding", "is_unnamed")
    op.drop_column("embedding", "seen_at")
    op.drop_index("ix_chunk_code_digest", "chunk")
    op.drop_index("ix_chunk_without_digest", "chunk")
    op.drop_index("ix_chunk_text_digest", "chunk")
    op.drop_column("chunk", "code_digest")
    op.drop_column("chunk", "text_digest")


def _partial(name: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "chunk", [column], postgresql_where=condition, sqlite_where=condition)

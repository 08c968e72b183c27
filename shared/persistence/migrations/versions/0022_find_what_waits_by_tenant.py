"""Find what waits for an indexer by its tenant"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_WAITING = {
    ("document", "ix_document_waiting"): "state IN ('pending', 'in_progress')",
    ("index_job", "ix_index_job_to_scan"): "state IN ('queued', 'scanning')",
}


def upgrade() -> None:
    for (table, name), where in _WAITING.items():
        _partial(f"{name}_tenant_id", table, ["tenant_id", "due_at"], where)
        op.drop_index(name, table)


def downgrade() -> None:
    for (table, name), where in _WAITING.items():
        _partial(name, table, ["due_at"], where)
        op.drop_index(f"{name}_tenant_id", table)


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, postgresql_where=condition, sqlite_where=condition)

"""List dead letters and handoffs that are open, however many are not"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_TABLES = ("dead_letter", "handoff")
_OPEN = "state || '/listed' = 'open/listed'"


def upgrade() -> None:
    for table in _TABLES:
        condition = sa.text(_OPEN)
        op.create_index(
            f"ix_{table}_open",
            table,
            ["created_at", "id"],
            postgresql_where=condition,
            sqlite_where=condition,
        )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_index(f"ix_{table}_open", table)

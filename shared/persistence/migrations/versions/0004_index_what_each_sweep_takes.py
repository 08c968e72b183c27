"""Index what each sweep takes, so that no statement on a timer reads a backlog

On Postgres the indexes are built and dropped while messages go on being accepted. One that a
broken run left behind, which Postgres calls invalid, is built anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NEW = (
    ("ix_message_due", ["wake_at"], "state || '/due' = 'queued/due'"),
    ("ix_message_expiring", ["deadline"], "state || '/expiring' = 'queued/expiring'"),
    ("ix_message_waiting", ["lane", "accepted_at"], "state || '/waiting' = 'queued/waiting'"),
    ("ix_message_leased", ["lease_until"], "state || '/leased' = 'in_progress/leased'"),
)
_OLD = (
    (
        "ix_message_open",
        ["state", "wake_at"],
        "state IN ('queued', 'in_progress', 'requires_action')",
    ),
)


def upgrade() -> None:
    _replace(_OLD, by=_NEW)
    op.create_table(
        "role_lease",
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_role_lease")),
    )


def downgrade() -> None:
    _replace(_NEW, by=_OLD)
    op.drop_table("role_lease")


def _replace(
    old: tuple[tuple[str, list[str], str], ...], *, by: tuple[tuple[str, list[str], str], ...]
) -> None:
    with _online() as concurrently:
        for name, columns, condition in by:
            op.drop_index(name, "message", if_exists=True, postgresql_concurrently=concurrently)
            op.create_index(
                name,
                "message",
                columns,
                postgresql_where=sa.text(condition),
                sqlite_where=sa.text(condition),
                postgresql_concurrently=concurrently,
            )
        for name, _, _ in old:
            op.drop_index(name, "message", if_exists=True, postgresql_concurrently=concurrently)


@contextmanager
def _online() -> Iterator[bool]:
    context = op.get_context()
    if context.dialect.name != "postgresql":
        yield False
        return
    with context.autocommit_block():
        yield True

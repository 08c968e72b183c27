"""Keep figures of minutes, hours and days"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_BUCKETS = 32
_CUBES = {
    "rollup_turn": (
        {"model": 128, "lane": 32, "state": 32, "worker": 128, "variant": 64, "answered_by": 64},
        (
            *("messages", "in_deadline", "input_tokens", "cached_tokens", "output_tokens"),
            *("cost_nanos", "saved_nanos"),
        ),
        ("wait", "latency"),
    ),
    "rollup_attempt": (
        {"provider": 64, "model": 128, "lane": 32, "error_class": 32, "variant": 64},
        (
            *("attempts", "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens"),
            *("reasoning_tokens", "cost_nanos", "unknown", "estimated"),
        ),
        ("latency",),
    ),
    "rollup_door": ({"lane": 32, "reason": 64}, ("accepted", "refused"), ()),
}


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "rollup_delta",
        # No sequence of its own, for which whoever inserts would need one more right.
        sa.Column("id", number, sa.Identity(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_delta")),
    )
    for name, (names, sums, histograms) in _CUBES.items():
        _cube(name, names, sums, histograms)


def downgrade() -> None:
    for name in (*_CUBES, "rollup_delta"):
        op.drop_table(name)


def _cube(
    name: str, names: dict[str, int], sums: tuple[str, ...], histograms: tuple[str, ...]
) -> None:
    buckets = [f"{each}_{bucket:02}" for each in histograms for bucket in range(_BUCKETS)]
    op.create_table(
        name,
        sa.Column("seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.Column(each, sa.String(length=length), nullable=False)
            for each, length in names.items()
        ),
        *(sa.Column(each, sa.BigInteger()) for each in sums),
        *(sa.Column(f"{each}_ms", sa.BigInteger()) for each in histograms),
        *(sa.Column(each, sa.Integer()) for each in buckets),
        sa.PrimaryKeyConstraint(
            "seconds", "tenant_id", "starts_at", *names, name=op.f(f"pk_{name}")
        ),
    )
    op.create_index(f"ix_{name}_seconds_starts_at", name, ["seconds", "starts_at"])

#!/usr/bin/env bash
# An insert with `on_conflict_do_nothing()` that meets a row already there inserts nothing. On SQLite
# SQLAlchemy's `inserted_primary_key` is then neither None nor that row's key: it is the key of whatever
# this connection inserted last, in whichever table. An idempotent "insert, then refer to it by
# inserted_primary_key" files the repeat under a stranger's row. `rowcount` (0) and `returning()` (no
# row) tell the truth.
#
# Seen with SQLAlchemy 2.1.9 on SQLite 3.40.1. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check SQLAlchemy==2.1.9
cat > "$folder/conflict.py" <<'PY'
"""A message is posted twice under one key, other rows between; prints the key given for each."""
import sqlite3
import sys

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

tables = sa.MetaData()
message = sa.Table(
    "message", tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("idempotency_key", sa.String, unique=True),
)
audit = sa.Table(
    "audit", tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("line", sa.String),
)
engine = sa.create_engine("sqlite://")
tables.create_all(engine)
post = insert(message).values(idempotency_key="order-1").on_conflict_do_nothing()
with engine.begin() as connection:
    first = connection.execute(post).inserted_primary_key[0]
    for line in range(7):
        connection.execute(audit.insert().values(line=str(line)))
    repeat = connection.execute(post)
    key, count = repeat.inserted_primary_key, repeat.rowcount
    returned = connection.execute(post.returning(message.c.id)).all()
    stored = connection.execute(sa.select(message.c.id)).scalars().all()
print("SQLAlchemy", sa.__version__, "SQLite", sqlite3.sqlite_version)
print(f"expected: the first post has key 1, the repeat has None or 1 (rows stored: {stored})")
print(f"seen: first {first}, repeat {key} with rowcount {count}; with returning() {returned}")
as_described = (first, tuple(key), count, returned, stored) == (1, (7,), 0, [], [1])
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/conflict.py"

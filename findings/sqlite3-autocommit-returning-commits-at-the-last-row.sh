#!/usr/bin/env bash
# Python's sqlite3 with `isolation_level=None` commits each statement by itself. `UPDATE ... RETURNING`
# and `INSERT ... RETURNING` are the exception: until the last row is fetched (or the cursor is closed)
# the change is not committed and the write lock is held, while `in_transaction` says False. A worker
# that claims a batch and fetches one row, or none, blocks all others ("database is locked") and, when
# it dies, has claimed nothing, although it acted on what it was given.
#
# Seen with CPython 3.11.7 and SQLite 3.40.1 (part of Python, nothing to install).
# Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/claim.py" <<'PY'
"""Claims two of three jobs and fetches no row, one, all; what another connection sees and can do."""
import platform
import sqlite3
import sys

CLAIM = "UPDATE job SET state = 'claimed' WHERE id < 3 RETURNING id"


def claim(path, fetch):
    """What the others see and whether they can write, while the claiming cursor is still there."""
    worker = sqlite3.connect(path, isolation_level=None)
    other = sqlite3.connect(path, isolation_level=None, timeout=0.2)
    worker.execute("PRAGMA journal_mode = WAL")
    worker.execute("DROP TABLE IF EXISTS job")
    worker.execute("CREATE TABLE job (id INTEGER PRIMARY KEY, state TEXT)")
    worker.executemany("INSERT INTO job (state) VALUES (?)", [("waiting",)] * 3)
    cursor = worker.execute(CLAIM)
    fetch(cursor)
    claimed = other.execute("SELECT count(*) FROM job WHERE state = 'claimed'").fetchone()[0]
    try:
        other.execute("INSERT INTO job (state) VALUES ('waiting')")
        write = "ok"
    except sqlite3.OperationalError as error:
        write = str(error)
    seen = (worker.in_transaction, claimed, write)
    cursor.close()
    worker.close()
    other.close()
    return seen


FETCHES = {
    "no row fetched": lambda cursor: None,
    "fetchone()": lambda cursor: cursor.fetchone(),
    "fetchall()": lambda cursor: cursor.fetchall(),
}
seen = {name: claim(sys.argv[1], fetch) for name, fetch in FETCHES.items()}
print("CPython", platform.python_version(), "SQLite", sqlite3.sqlite_version)
print("expected: in_transaction False, 2 claimed jobs seen by others, who can write; in each case")
for name, (in_transaction, claimed, write) in seen.items():
    print(f"seen, {name}: in_transaction {in_transaction}, claimed {claimed}, others' write: {write}")
open_still = (False, 0, "database is locked")
as_described = list(seen.values()) == [open_still, open_still, (False, 2, "ok")]
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 python3 "$folder/claim.py" "$folder/jobs.db"

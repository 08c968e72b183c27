#!/usr/bin/env bash
# A task is cancelled while it reads in a transaction on aiosqlite. SQLAlchemy closes its connection,
# and the transaction, with the write lock, stays: a closed connection of SQLite lives on until its last
# statement is freed, and the cursor hangs on the traceback of the CancelledError. Whoever keeps that
# (a task, the list of a gather) keeps everybody else from writing, until it is dropped or the garbage
# collector comes by. A rollback before the closing helps.
#
# Seen with SQLAlchemy 2.1.9 and aiosqlite 0.22.1 on SQLite 3.40.1, Python 3.11. Exit 0 while that is
# so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    SQLAlchemy==2.1.9 aiosqlite==0.22.1 greenlet
cat > "$folder/cancelled.py" <<'PY'
"""A task that wrote and reads is cancelled; may another connection write then?"""
import asyncio
import gc
import sqlite3
import sys
import threading

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine


async def main(file):
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
    loop, reads, goes_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def stop():
        loop.call_soon_threadsafe(reads.set)
        goes_on.wait(10)
        return 1

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection, _):
        connection.run_async(lambda driver: driver.create_function("it_is_read", 0, stop))

    async def work():
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
            await connection.execute(text("SELECT it_is_read() UNION ALL SELECT 1"))

    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE t (x)"))
    task = asyncio.create_task(work())
    await reads.wait()
    task.cancel()
    await asyncio.sleep(0)
    goes_on.set()
    await asyncio.gather(task, return_exceptions=True)
    await engine.dispose()
    kept = is_locked(file)
    task = None
    await asyncio.sleep(0.05)
    gc.collect()
    return kept, is_locked(file)


def is_locked(file):
    connection = sqlite3.connect(file, timeout=1, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False


found = asyncio.run(main(sys.argv[1]))
print("expected: locked after the engine was disposed of: False; seen:", found[0])
print("once the cancelled task is dropped and collected:", found[1])
print("as described" if found == (True, False) else "CHANGED")
sys.exit(0 if found == (True, False) else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/cancelled.py" "$folder/a.sqlite3"

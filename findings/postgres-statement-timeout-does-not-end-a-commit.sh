#!/usr/bin/env bash
# `statement_timeout` bounds a statement, but not the commit that an autocommitted INSERT ends with:
# Postgres switches the timeout off before it. With a synchronous standby that is away the INSERT waits
# for it without end, long after the timeout. And when somebody cancels it, it is not the error that a
# cancelled statement is elsewhere but a success ("INSERT 0 1") with a mere WARNING: the row is there,
# on this server alone.
#
# Seen with PostgreSQL 15.18 and psycopg 3.3.9. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "psycopg[binary]==3.3.9"
cat > "$folder/commit.py" <<'PY'
"""One INSERT on a real Postgres whose synchronous standby is away; prints how it ends and when."""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import psycopg

TIMEOUT_SECONDS = 0.5
CANCEL_AFTER_SECONDS = 4


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name):
    """From Debian's versioned folders, newest first, or from the PATH."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: path.split("/")[4])
    return found[-1] if found else shutil.which(name)


class Postgres:
    """Small, on loopback, run by a user that is not root (Postgres refuses root)."""

    def __init__(self, folder):
        place = os.path.join(folder, "postgres")
        os.mkdir(place)
        os.chmod(folder, 0o755)
        self.as_user = {"cwd": place, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(place, user.pw_uid, user.pw_gid)
            self.as_user |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        port, data = free_port(), os.path.join(place, "data")
        self.conninfo = f"host=127.0.0.1 port={port} user=finding dbname=postgres"
        initdb = [program("initdb"), "-D", data, "-U", "finding", "--auth=trust", "--no-sync"]
        subprocess.run(initdb, check=True, **self.as_user)
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": place,
            "shared_buffers": "16MB",
            "synchronous_standby_names": "away",
        }
        options = [word for each in settings.items() for word in ("-c", "=".join(each))]
        command = [program("postgres"), "-D", data, "-p", str(port), *options]
        self.process = subprocess.Popen(command, **self.as_user)

    def connect(self, options=""):
        for _ in range(100):
            try:
                return psycopg.connect(self.conninfo, autocommit=True, options=options)
            except psycopg.OperationalError:
                time.sleep(0.1)
        sys.exit("Postgres did not start")

    def close(self):
        self.process.send_signal(signal.SIGQUIT)  # at once: a waiting commit would hold up SIGINT
        self.process.wait()


def insert(server):
    """How the INSERT ended, after how many seconds, its notices, and the rows there are then."""
    other = server.connect("-c synchronous_commit=local")
    other.execute("CREATE TABLE entry (n int)")
    writer = server.connect(f"-c statement_timeout={int(TIMEOUT_SECONDS * 1000)}")
    notices = []
    writer.add_notice_handler(lambda said: notices.append(f"{said.severity}: {said.message_primary}"))
    cancel = threading.Timer(
        CANCEL_AFTER_SECONDS,
        lambda: other.execute("SELECT pg_cancel_backend(%s)", [writer.info.backend_pid]),
    )
    cancel.start()
    begun = time.monotonic()
    try:
        ended = writer.execute("INSERT INTO entry VALUES (1)").statusmessage
    except psycopg.Error as error:
        ended = repr(error)
    seconds = time.monotonic() - begun
    cancel.cancel()
    cancel.join()
    rows = other.execute("SELECT count(*) FROM entry").fetchone()[0]
    return ended, seconds, notices, rows, other.info.server_version


signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
server = Postgres(sys.argv[1])
try:
    ended, seconds, notices, rows, version = insert(server)
finally:
    server.close()
print("PostgreSQL", f"{version // 10000}.{version % 10000}", "psycopg", psycopg.__version__)
print(f"expected: the INSERT ends with QueryCanceled after {TIMEOUT_SECONDS} s")
print(f"seen: cancelled by hand after {CANCEL_AFTER_SECONDS} s, ended {ended!r} after {seconds:.1f} s")
print(f"seen: {notices}, rows {rows}")
as_described = ended == "INSERT 0 1" and rows == 1 and seconds > CANCEL_AFTER_SECONDS - 0.5
as_described = as_described and [each.split(":")[0] for each in notices] == ["WARNING"]
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/commit.py" "$folder"

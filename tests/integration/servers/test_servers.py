"""The test servers do what the tests that use them rely on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import amqp
import psycopg
import pytest

from shared.persistence.engine import open_database
from shared.persistence.migrating import missing_migrations
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer

ORPHAN = """
import sys, time
from tests.servers.{module} import {server}
running = {server}().start()
print(*running.process.family(), running.folder, flush=True)
time.sleep(600)
"""


def test_redis_keeps_what_it_wrote_over_a_restart(own_redis: RedisServer) -> None:
    own_redis.command("SET", "kept", "yes")
    own_redis.restart()
    assert own_redis.command("GET", "kept") == b"$3\r\nyes\r\n"


def test_a_paused_redis_accepts_connections_and_answers_nobody(own_redis: RedisServer) -> None:
    own_redis.pause()
    assert own_redis.accepts_connections()
    own_redis.resume()
    assert own_redis.command("PING") == b"+PONG\r\n"


def test_each_use_of_a_redis_database_begins_empty(redis: RedisServer) -> None:
    redis.command("SET", "left", "over")
    redis.flush_database(0)
    assert redis.command("DBSIZE") == b":0\r\n"


def test_postgres_keeps_what_it_committed_over_a_kill(own_postgres: PostgresServer) -> None:
    own_postgres.execute("CREATE TABLE kept (number int)")
    own_postgres.kill()
    own_postgres.start()
    own_postgres.execute("INSERT INTO kept VALUES (1)")


def test_a_postgres_database_is_gone_after_its_test(postgres: PostgresServer) -> None:
    name = postgres.create_database()
    postgres.drop_database(name)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(f"host=127.0.0.1 port={postgres.port} user=forebay dbname={name}")


def test_rabbitmq_keeps_a_durable_queue_over_a_kill(own_rabbitmq: RabbitServer) -> None:
    with amqp.Connection(f"127.0.0.1:{own_rabbitmq.port}") as connection:
        connection.channel().queue_declare("kept", durable=True, auto_delete=False)
    own_rabbitmq.kill()
    own_rabbitmq.start()
    with amqp.Connection(f"127.0.0.1:{own_rabbitmq.port}") as connection:
        connection.channel().queue_declare("kept", passive=True)


def test_virtual_hosts_do_not_share_queues(rabbitmq: RabbitServer) -> None:
    ours, theirs = rabbitmq.create_vhost(), rabbitmq.create_vhost()
    address = f"127.0.0.1:{rabbitmq.port}"
    with amqp.Connection(address, virtual_host=ours) as connection:
        connection.channel().queue_declare("ours", auto_delete=False)
    with (
        amqp.Connection(address, virtual_host=theirs) as connection,
        pytest.raises(amqp.NotFound),
    ):
        connection.channel().queue_declare("ours", passive=True)
    rabbitmq.delete_vhost(ours)
    rabbitmq.delete_vhost(theirs)


async def test_a_migrated_ledger_lacks_no_migration(migrated_ledger_url: str) -> None:
    database = open_database(LedgerSettings(url=ServerUrl(migrated_ledger_url)))
    assert await missing_migrations(database) == []
    await database.close()


@pytest.mark.parametrize(
    ("module", "server"),
    [("redis", "RedisServer"), ("postgres", "PostgresServer"), ("rabbitmq", "RabbitServer")],
)
def test_no_server_outlives_tests_that_were_killed(module: str, server: str) -> None:
    tests = subprocess.Popen(
        [sys.executable, "-c", ORPHAN.format(module=module, server=server)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert tests.stdout is not None
    *pids, folder = tests.stdout.readline().split()
    tests.kill()
    tests.communicate()
    _eventually(lambda: not any(_runs(int(pid)) for pid in pids))
    _eventually(lambda: not Path(folder).exists())


def _eventually(condition: Callable[[], bool], seconds: float = 10) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"

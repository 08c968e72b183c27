"""The test servers do what the tests that use them rely on."""

from __future__ import annotations

import amqp
import psycopg
import pytest

from shared.persistence.engine import open_database
from shared.persistence.migrating import missing_migrations
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.servers.orphans import ends_with_its_tests
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer


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
    ("module", "server"), [("redis", "RedisServer"), ("postgres", "PostgresServer")]
)
def test_no_server_outlives_tests_that_were_killed(module: str, server: str) -> None:
    ends_with_its_tests(module, server)

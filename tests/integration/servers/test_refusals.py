"""`forebay check` says what a server really refuses, and what would mend it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from deploy.cli.check import redis as redis_check
from deploy.cli.check.broker import check_broker
from deploy.cli.check.finding import Level
from deploy.cli.check.redis import check_redis
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings, RedisSettings
from tests.servers.ports import free_port
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a busy machine answers late is no silence."""
    monkeypatch.setattr(redis_check, "_PATIENCE_SECONDS", 60.0)


async def broker_fault(url: str) -> str:
    broker = BrokerSettings(url=ServerUrl(url), publish_timeout_seconds=30.0)
    faults = [each for each in await check_broker(broker) if each.level is Level.FAULT]
    (found,) = faults
    return found.sentence


async def redis_fault(url: str, *, is_broker: bool = False) -> str:
    found = await check_redis(RedisSettings(url=ServerUrl(url)), is_broker=is_broker)
    (faulty,) = [each for each in found if each.level is Level.FAULT]
    return faulty.sentence


async def test_a_silent_broker_is_to_be_started() -> None:
    said = await broker_fault(f"amqp://127.0.0.1:{free_port()}//")
    assert "does not answer (" in said
    assert "start it" in said


async def test_a_wrong_password_is_told_from_silence(rabbitmq: RabbitServer) -> None:
    said = await broker_fault(f"amqp://guest:wrong@127.0.0.1:{rabbitmq.port}//")
    assert "does not know user 'guest' or its password (" in said
    assert "wrong" not in said


async def test_a_virtual_host_that_is_not_there_is_named(rabbitmq: RabbitServer) -> None:
    said = await broker_fault(rabbitmq.vhost_url("nowhere"))
    assert "does not let user 'guest' into the virtual host 'nowhere'" in said
    assert "rabbitmqctl add_vhost" in said


@pytest.fixture
def newcomer(rabbitmq: RabbitServer) -> Iterator[str]:
    """A user of RabbitMQ that may do nothing anywhere."""
    name = f"user-{uuid.uuid4().hex}"
    rabbitmq.create_user(name)
    yield name
    rabbitmq.delete_user(name)


async def test_a_virtual_host_without_permission_is_named(
    rabbitmq: RabbitServer, newcomer: str
) -> None:
    said = await broker_fault(f"amqp://{newcomer}:{newcomer}@127.0.0.1:{rabbitmq.port}//")
    assert f"does not let user '{newcomer}' into the virtual host '/'" in said


async def test_a_user_that_may_not_declare_is_told_which_permission(
    rabbitmq: RabbitServer, newcomer: str
) -> None:
    vhost = rabbitmq.create_vhost()
    rabbitmq.grant(newcomer, vhost, configure="", write=".*", read=".*")
    said = await broker_fault(f"amqp://{newcomer}:{newcomer}@127.0.0.1:{rabbitmq.port}/{vhost}")
    assert f"does not allow user '{newcomer}' what we need" in said
    assert "forebay.unrouted" in said
    rabbitmq.delete_vhost(vhost)


@pytest.mark.parametrize("server", ["rabbitmq", "redis"])
async def test_a_certificate_that_is_not_trusted_is_named(
    server: str, rabbitmq: RabbitServer
) -> None:
    if server == "rabbitmq":
        said = await broker_fault(rabbitmq.tls_url)
        section = "broker"
    else:
        with RedisServer(encrypted=True) as redis:
            said = await redis_fault(redis.tls_url)
            section = "redis"
    assert "shows a certificate that is not trusted" in said
    assert f"set {section}.tls.ca_file" in said


async def test_a_redis_that_wants_a_password_says_so(own_redis: RedisServer) -> None:
    own_redis.command("CONFIG", "SET", "requirepass", "hunter2")
    url = own_redis.database_url(0)
    assert "does not know our user or password" in await redis_fault(url)
    assert "mend them in broker.url" in await redis_fault(url, is_broker=True)
    wrong = url.replace("redis://", "redis://:wrong@")
    assert "does not know our user or password" in await broker_fault(wrong)


async def test_a_redis_that_cannot_be_written_may_not_be_started_with(
    own_redis: RedisServer,
) -> None:
    own_redis.command("REPLICAOF", "127.0.0.1", str(own_redis.port))
    own_redis.command("CONFIG", "SET", "replica-serve-stale-data", "yes")
    assert "cannot be written, it is a replica" in await redis_fault(own_redis.url)
    own_redis.command("REPLICAOF", "NO", "ONE")
    own_redis.command("CONFIG", "SET", "maxmemory", "1mb")
    assert "is full (" in await redis_fault(own_redis.url)
    own_redis.command("CONFIG", "SET", "maxmemory", "0")
    # What an append-only file on a full disk does.
    own_redis.command("CONFIG", "SET", "min-replicas-to-write", "1")
    assert "refuses (" in await redis_fault(own_redis.url)


async def test_a_node_of_a_cluster_is_refused_by_name() -> None:
    with RedisServer(cluster=True) as node:
        assert "is a node of a cluster" in await redis_fault(node.url)


async def test_a_user_of_redis_that_lacks_a_command_is_told_which(own_redis: RedisServer) -> None:
    own_redis.command("ACL", "SETUSER", "half", "on", ">half", "~*", "&*", "+@all", "-zrange")
    url = own_redis.url.replace("redis://", "redis://half:half@")
    said = await redis_fault(url, is_broker=True)
    assert "does not allow what we need" in said
    assert "zrange" in said

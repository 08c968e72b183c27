"""On `amqps://` and `rediss://` everybody encrypts and verifies, whoever opens the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.exceptions import RedisError

from shared.errors import BrokerUnavailable, LedgerUnavailable
from shared.messages.dead_letter import Bury, DeadReason
from shared.messages.lane import Lane
from shared.persistence.engine import open_database
from shared.queueing.answers.answer_publisher import build_answer_publisher
from shared.queueing.answers.answers import QueuedAnswer
from shared.queueing.broker_connection import connect_broker, dial
from shared.queueing.celery_app import build_celery_app
from shared.queueing.dead_letters.letter import letter_about
from shared.queueing.dead_letters.sink import build_dead_letter_sink
from shared.queueing.declaration import declare_topology
from shared.queueing.publisher import build_publisher
from shared.queueing.reading.delivery import Delivery
from shared.redis.client import open_redis
from shared.settings.secret import ServerUrl
from shared.settings.server_faults import TlsSettings
from shared.settings.servers import BrokerSettings, LedgerSettings, RedisSettings
from shared.settings.settings import Settings
from shared.telemetry.metrics import Metrics
from tests.integration.queueing.conftest import started, wake_up
from tests.servers.authority import Authority
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer

Reach = Callable[[BrokerSettings], Awaitable[None]]


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Nobody's certificate is signed by this authority."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def encrypted_redis() -> Iterator[RedisServer]:
    with RedisServer(encrypted=True) as server:
        yield server


@pytest.fixture(params=["rabbitmq", "redis"])
def server(request: pytest.FixtureRequest) -> RabbitServer | RedisServer:
    """Each broker in its turn, with a port for TLS."""
    name = "rabbitmq" if request.param == "rabbitmq" else "encrypted_redis"
    found: RabbitServer | RedisServer = request.getfixturevalue(name)
    return found


def broker_at(url: str, **files: Path) -> BrokerSettings:
    tls = TlsSettings(**{name: str(file) for name, file in files.items()})
    return BrokerSettings(url=ServerUrl(url), publish_timeout_seconds=30.0, tls=tls)


async def connect(broker: BrokerSettings, *, patience_seconds: float = 30) -> None:
    """What readers, the producer and `forebay dead` open."""
    connection = connect_broker(broker, patience_seconds=patience_seconds)
    try:
        await asyncio.to_thread(dial, connection)
    except (*connection.connection_errors, *connection.channel_errors) as error:
        raise BrokerUnavailable(str(error)) from error
    finally:
        connection.release()


async def connect_celery(broker: BrokerSettings) -> None:
    app = build_celery_app(Settings(broker=broker), name="test")
    connection = app.connection_for_read()
    try:
        await asyncio.to_thread(dial, connection)
    except (*connection.connection_errors, *connection.channel_errors) as error:
        raise BrokerUnavailable(str(error)) from error
    finally:
        connection.release()


async def declare(broker: BrokerSettings) -> None:
    await asyncio.to_thread(declare_topology, broker)


async def publish(broker: BrokerSettings) -> None:
    publisher = build_publisher(broker, Metrics())
    await publisher.start()
    try:
        await publisher.publish([wake_up(Lane.BATCH)])
    finally:
        await publisher.close()


async def answer(broker: BrokerSettings) -> None:
    publisher = build_answer_publisher(broker)
    await publisher.start()
    try:
        await publisher.send(QueuedAnswer(reply_to="reply.nobody", correlation_id="id", body=b"{}"))
    finally:
        await publisher.close()


async def bury(broker: BrokerSettings) -> None:
    sink = build_dead_letter_sink(broker)
    await sink.start()
    try:
        verdict = Bury(DeadReason.MALFORMED, "a trial")
        await sink.bury(letter_about(Delivery(body=b"body", headers={}), verdict, queue="intake"))
    finally:
        await sink.close()


every_user = pytest.mark.parametrize(
    "reach", [declare, connect, connect_celery, publish, answer, bury]
)


@every_user
async def test_who_trusts_the_authority_is_served(
    server: RabbitServer | RedisServer, reach: Reach
) -> None:
    await declare(broker_at(server.tls_url, ca_file=server.tls.ca_file))
    await reach(broker_at(server.tls_url, ca_file=server.tls.ca_file))


@every_user
async def test_a_certificate_of_another_authority_is_refused(
    server: RabbitServer | RedisServer, reach: Reach, stranger: Authority
) -> None:
    broker = broker_at(server.tls_url, ca_file=stranger.ca_file)
    # Publishers wait for a link as long as they may.
    impatient = msgspec.structs.replace(broker, publish_timeout_seconds=0.3)
    with pytest.raises(BrokerUnavailable):
        await reach(impatient)


@pytest.mark.parametrize("reach", [declare, connect, connect_celery])
async def test_a_private_authority_is_not_trusted_unasked(
    server: RabbitServer | RedisServer, reach: Reach
) -> None:
    with pytest.raises(BrokerUnavailable):
        await reach(broker_at(server.tls_url))


@pytest.mark.parametrize("reach", [declare, connect, connect_celery])
async def test_a_certificate_for_another_host_is_refused(
    server: RabbitServer | RedisServer, reach: Reach
) -> None:
    elsewhere = server.tls_url.replace("127.0.0.1", "localhost")
    with pytest.raises(BrokerUnavailable):
        await reach(broker_at(elsewhere, ca_file=server.tls.ca_file))


async def test_nothing_is_said_in_clear_to_a_port_without_tls(encrypted_redis: RedisServer) -> None:
    plain = encrypted_redis.database_url(0).replace("redis://", "rediss://")
    with pytest.raises(BrokerUnavailable):
        # That port waits for the end of a line, and says nothing.
        await connect(broker_at(plain, ca_file=encrypted_redis.tls.ca_file), patience_seconds=0.5)


@every_user
async def test_a_certificate_is_shown_where_redis_asks_for_one(
    encrypted_redis: RedisServer, reach: Reach
) -> None:
    ours = encrypted_redis.tls.issue("client")
    anonymous = broker_at(encrypted_redis.tls_url, ca_file=encrypted_redis.tls.ca_file)
    known = msgspec.structs.replace(
        anonymous,
        tls=TlsSettings(
            ca_file=str(encrypted_redis.tls.ca_file),
            certificate_file=str(ours.certificate_file),
            key_file=str(ours.key_file),
        ),
    )
    encrypted_redis.command("CONFIG", "SET", "tls-auth-clients", "yes")
    try:
        await reach(known)
        with pytest.raises(BrokerUnavailable):
            await connect(anonymous)
    finally:
        encrypted_redis.command("CONFIG", "SET", "tls-auth-clients", "optional")


async def test_rabbitmq_sees_the_certificates_that_are_shown(rabbitmq: RabbitServer) -> None:
    def showing(name: str) -> BrokerSettings:
        ours = rabbitmq.tls.issue(name)
        return broker_at(
            rabbitmq.tls_url,
            ca_file=rabbitmq.tls.ca_file,
            certificate_file=ours.certificate_file,
            key_file=ours.key_file,
        )

    publisher = await started(showing("link-of-ours"))
    with connect_broker(showing("reader-of-ours")) as connection:
        await asyncio.to_thread(dial, connection)
        seen = rabbitmq.evaluate("rabbit_networking:connection_info_all([peer_cert_subject]).")
    await publisher.close()
    assert "CN=link-of-ours" in seen
    assert "CN=reader-of-ours" in seen


async def test_redis_of_limits_and_replies_is_verified_too(
    encrypted_redis: RedisServer, stranger: Authority
) -> None:
    async def ping(**tls: Any) -> None:
        redis = open_redis(
            RedisSettings(url=ServerUrl(encrypted_redis.tls_url), tls=TlsSettings(**tls))
        )
        try:
            await redis.ping()
        finally:
            await redis.aclose()

    await ping(ca_file=str(encrypted_redis.tls.ca_file))
    with pytest.raises(RedisError):
        await ping(ca_file=str(stranger.ca_file))
    with pytest.raises(RedisError):
        await ping()


async def test_postgres_is_verified_as_its_url_asks(stranger: Authority) -> None:
    async def ping(postgres: PostgresServer, authority: Authority) -> None:
        asks = f"?sslmode=verify-full&sslrootcert={authority.ca_file}"
        database = open_database(LedgerSettings(url=ServerUrl(postgres.url + asks)))
        try:
            await database.ping()
        finally:
            await database.close()

    with PostgresServer(encrypted=True) as postgres:
        await ping(postgres, postgres.tls)
        with pytest.raises(LedgerUnavailable, match="certificate"):
            await ping(postgres, stranger)

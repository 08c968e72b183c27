"""What docs/operating.md grants is enough for door, worker, control and events, and over TLS."""

from __future__ import annotations

import asyncio
import re
import shlex
import uuid
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from deploy.cli.check.broker import check_broker
from deploy.cli.check.finding import CheckFinding, Level
from deploy.cli.check.ledger import check_ledger
from deploy.cli.check.redis import check_redis
from shared.queueing.celery_app import build_celery_app
from shared.queueing.producer import Producer
from shared.settings.servers import RedisSettings
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.servers.worker_events import WorkerEvents
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer

ROOT = Path(__file__).resolve().parents[3]
CALL = re.compile(r"redis\.p?call\(['\"](\w+)")
PAGE = (ROOT / "docs" / "operating.md").read_text()


def commands(begin: str) -> Iterator[str]:
    """Every command of the page that begins so, its continued lines joined."""
    for line in PAGE.replace("\\\n", " ").splitlines():
        if line.startswith(begin):
            yield line


@pytest.fixture(scope="module")
def guarded_redis() -> Iterator[RedisServer]:
    """A Redis with the two users of the page, whose password is `secret`."""
    with RedisServer(encrypted=True) as server:
        knows_setinfo = (
            not server.command("INFO", "server")
            .partition(b"redis_version:")[2]
            .startswith((b"6.", b"7.0"))
        )
        for line in commands("ACL SETUSER"):
            words = [word.replace(">PASSWORD", ">secret") for word in line.split()]
            if not knows_setinfo:
                words.remove("+client|setinfo")
            assert server.command(*words) == b"+OK\r\n"
        yield server


@pytest.fixture
def guarded_rabbitmq(rabbitmq: RabbitServer) -> Iterator[str]:
    """A virtual host over TLS, for a user with the rights of the page."""
    user, vhost = f"user-{uuid.uuid4().hex}", rabbitmq.create_vhost()
    rabbitmq.create_user(user)
    (line,) = commands("rabbitmqctl set_permissions")
    *_, configure, write, read = shlex.split(line)
    rabbitmq.grant(user, vhost, configure=configure, write=write, read=read)
    yield f"amqps://{user}:{user}@127.0.0.1:{rabbitmq.tls_port}/{vhost}"
    rabbitmq.delete_vhost(vhost)
    rabbitmq.delete_user(user)


@pytest.fixture
def guarded_postgres(postgres: PostgresServer, migrated_postgres_url: str) -> Iterator[str]:
    """A migrated ledger, for a role with the grants of the page."""
    name, database = f"role_{uuid.uuid4().hex}", migrated_postgres_url.rpartition("/")[2]
    postgres.execute(f"CREATE ROLE {name} LOGIN")
    for begin in ("GRANT", "ALTER DEFAULT", "REVOKE"):
        for line in commands(begin):
            postgres.execute_in(database, line.replace("forebay_run", name))
    yield migrated_postgres_url.replace("//forebay@", f"//{name}@")
    postgres.execute_in(database, f"DROP OWNED BY {name}")
    postgres.execute(f"DROP ROLE {name}")


@pytest.fixture
def on_servers(
    guarded_rabbitmq: str,
    guarded_redis: RedisServer,
    guarded_postgres: str,
    rabbitmq: RabbitServer,
    provider: ProviderThread,
) -> Stack:
    """RabbitMQ, Redis and Postgres, each with its least rights."""
    return Stack(
        broker_url=guarded_rabbitmq,
        redis_url=_as("forebay_run", guarded_redis, 1),
        ledger_url=guarded_postgres,
        providers=[openai_link(provider.url)],
        extra=_extra(rabbitmq.tls.ca_file, guarded_redis),
    )


@pytest.fixture
def on_redis(
    guarded_redis: RedisServer, migrated_sqlite_url: str, provider: ProviderThread
) -> Stack:
    """Redis in both roles, a user for each."""
    return Stack(
        broker_url=_as("forebay_broker", guarded_redis, 0),
        redis_url=_as("forebay_run", guarded_redis, 1),
        ledger_url=migrated_sqlite_url,
        providers=[openai_link(provider.url)],
        extra=_extra(guarded_redis.tls.ca_file, guarded_redis),
    )


def _as(user: str, server: RedisServer, database: int) -> str:
    return f"rediss://{user}:secret@127.0.0.1:{server.tls_port}/{database}"


def _extra(broker_ca: Path, redis: RedisServer) -> dict[str, str]:
    return {
        "FOREBAY_BROKER__TLS__CA_FILE": str(broker_ca),
        "FOREBAY_REDIS__TLS__CA_FILE": str(redis.tls.ca_file),
        "FOREBAY_WORKER__METRICS_HOST": "127.0.0.2",
        "FOREBAY_WORKER__METRICS_PORT": str(free_port()),
    }


@pytest.fixture(params=["on_servers", "on_redis"])
def guarded_stack(request: pytest.FixtureRequest) -> Stack:
    """Production's servers, then one machine's."""
    stack: Stack = request.getfixturevalue(request.param)
    return stack


async def test_the_least_rights_are_enough(
    guarded_stack: Stack,
    request: pytest.FixtureRequest,
    guarded_redis: RedisServer,
    tmp_path: Path,
) -> None:
    stack = guarded_stack
    assert [each for each in await _findings(stack) if each.level is Level.FAULT] == []
    guarded_redis.command("ACL", "LOG", "RESET")
    key = await new_key(stack.settings.ledger)
    with RunningDoor(stack.settings) as door, WorkerEvents(stack) as events:
        worker = AgentWorker(stack, tmp_path)
        request.addfinalizer(worker.kill)
        await asyncio.to_thread(worker.start)
        async with aiohttp.ClientSession(
            door.url, headers={"Authorization": f"Bearer {key}"}
        ) as session:
            assert (await _post(session, {"input": "wait"}))["status"] == "completed"
            await _keep_a_file(session)
            streamed = await _stream(session)
            assert "response.completed" in streamed
            background = await _post(session, {"input": "later", "background": True})
            assert background["status"] in {"queued", "in_progress", "completed"}
        assert (await asyncio.to_thread(_ask, stack, key))["status"] == "completed"
        assert await asyncio.to_thread(_ping, stack) == 1
        assert "task-succeeded" in await asyncio.to_thread(events.ends, 1)
        page = await _metrics(stack)
        assert "forebay_" in page
    assert "NOPERM" not in worker.log
    assert "permission" not in worker.log.lower()
    assert guarded_redis.command("ACL", "LOG") == b"*0\r\n"


async def _findings(stack: Stack) -> list[CheckFinding]:
    settings = stack.settings
    found = await check_broker(settings.broker)
    if settings.broker.is_redis:
        as_redis = RedisSettings(url=settings.broker.url, tls=settings.broker.tls)
        found += await check_redis(as_redis, is_broker=True)
    found += await check_redis(settings.redis, is_broker=False)
    return found + await check_ledger(settings.ledger, migrate=False)


async def _post(session: aiohttp.ClientSession, body: dict[str, object]) -> dict[str, object]:
    async with session.post("/v1/responses", json={"model": "auto", **body}) as response:
        answer: dict[str, object] = await response.json()
        assert response.status == 200, answer
        return answer


async def _keep_a_file(session: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData({"purpose": "user_data"})
    form.add_field("file", b"content", filename="a.txt")
    async with session.post("/v1/files", data=form) as response:
        kept = await response.json()
        assert response.status == 200, kept
    async with session.get(f"/v1/files/{kept['id']}/content") as response:
        assert await response.read() == b"content"
    async with session.delete(f"/v1/files/{kept['id']}") as response:
        assert response.status == 200


async def _stream(session: aiohttp.ClientSession) -> str:
    body = {"model": "auto", "input": "stream", "stream": True}
    async with session.post("/v1/responses", json=body) as response:
        return await response.text()


def _ask(stack: Stack, key: str) -> dict[str, object]:
    broker = stack.settings.broker
    with Producer(str(broker.url), key, tls=broker.tls) as producer:
        return producer.ask("over the queue", timeout_seconds=60)


def _ping(stack: Stack) -> int:
    app = build_celery_app(stack.settings, name="operator")
    return len(app.control.inspect(timeout=60, limit=1).ping() or {})


async def _metrics(stack: Stack) -> str:
    """From an address of this machine at which workers do not listen unless they are told to."""
    port = stack.extra["FOREBAY_WORKER__METRICS_PORT"]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.2:{port}/metrics") as response,
    ):
        return await response.text()


def test_every_command_of_our_scripts_is_granted() -> None:
    for script in (ROOT / "shared").rglob("*.lua"):
        user = "forebay_broker" if "queueing" in script.parts else "forebay_run"
        (line,) = commands(f"ACL SETUSER {user}")
        for name in CALL.findall(script.read_text()):
            assert f"+{name.lower()}" in line.split(), f"{script.name} calls {name}"

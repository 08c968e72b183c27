"""Real servers for tests, and an isolated corner of each for every test.

Each pytest process starts its own servers, each when a test first asks for it. A test that kills,
pauses or reconfigures a server takes an `own_…` one, or `mortal_rabbitmq`.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from shared.collector import collect_seldom
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import DATABASES, RedisServer
from tests.servers.server import Server

if TYPE_CHECKING:
    from tests.servers.browser import Chromium

# The same examples on every machine, however slow it is; `--hypothesis-profile random` has others.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("random", _PATIENT)
settings.register_profile("suite", _PATIENT, derandomize=True)
settings.load_profile("suite")

MEMORY = Path("/dev/shm")
ROOM_BYTES = 8 * 2**30


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitServer]:
    """The RabbitMQ that the tests of this process share; leave it running."""
    with RabbitServer(encrypted=True) as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """The Redis that the tests of this process share; leave it running."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The Postgres that the tests of this process share; leave it running.

    It never outlives a crash, so it waits for no disk; those of a test alone do.
    """
    with PostgresServer(fsync="off") as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    """The browser that the tests of this process share, and with it their event loop."""
    from tests.servers.browser import running_chromium

    async with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def mortal_rabbitmq(rabbitmq: RabbitServer) -> Iterator[RabbitServer]:
    """The shared RabbitMQ, for its boot takes seconds: kill it, pause it, restart it.

    It runs again after the tests of the module; they put back what else they changed.
    """
    yield rabbitmq
    if rabbitmq.process.is_running:
        rabbitmq.resume()
    rabbitmq.start()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A running Redis of this test alone: kill it, pause it, flush it."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A running Postgres of this test alone: kill it, pause it, restart it."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def redis_databases(redis: RedisServer) -> Iterator[str]:
    """URLs of the shared Redis's databases, emptied, each in its turn."""

    def emptied() -> Iterator[str]:
        for number in count():
            database = number % DATABASES
            redis.flush_database(database)
            yield redis.database_url(database)

    return emptied()


@pytest.fixture
def redis_url(redis_databases: Iterator[str]) -> str:
    """An empty database of the shared Redis."""
    return next(redis_databases)


@pytest.fixture
def amqp_url(rabbitmq: RabbitServer) -> Iterator[str]:
    """An empty virtual host of the shared RabbitMQ, removed after the test."""
    vhost = rabbitmq.create_vhost()
    yield rabbitmq.vhost_url(vhost)
    rabbitmq.delete_vhost(vhost)


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """An empty database of the shared Postgres, removed after the test."""
    database = postgres.create_database()
    yield postgres.database_url(database)
    postgres.drop_database(database)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"


@pytest.fixture(scope="session")
def migrated_template(postgres: PostgresServer) -> str:
    """A database with the ledger's tables, to be copied and never connected to."""
    from tests.servers.migrated import migrate  # only where it is used: it loads SQLAlchemy

    template = postgres.create_database()
    migrate(postgres.database_url(template))
    return template


@pytest.fixture
def migrated_postgres_url(postgres: PostgresServer, migrated_template: str) -> Iterator[str]:
    """A database of the shared Postgres with the ledger's tables, removed after the test."""
    database = postgres.create_database(template=migrated_template)
    yield postgres.database_url(database)
    postgres.drop_database(database)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger to be copied: migrating takes longer than most tests."""
    from tests.servers.migrated import migrate

    file = tmp_path_factory.mktemp("ledger") / "ledger.sqlite3"
    migrate(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture
def migrated_sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A SQLite file with the ledger's tables."""
    return f"sqlite+aiosqlite:///{shutil.copy(migrated_file, tmp_path)}"


@pytest.fixture(params=["rabbitmq", "redis"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """An empty broker; the test runs once on RabbitMQ and once on Redis.

    The Redis one is another database than `redis_url` of the same test.
    """
    if request.param == "rabbitmq":
        amqp_url: str = request.getfixturevalue("amqp_url")
        return amqp_url
    databases: Iterator[str] = request.getfixturevalue("redis_databases")
    return next(databases)


@pytest.fixture(params=["postgres", "sqlite"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """An empty database without tables; the test runs once on Postgres and once on SQLite."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["postgres", "sqlite"])
def migrated_ledger_url(request: pytest.FixtureRequest) -> str:
    """A database with the ledger's tables; the test runs once on Postgres and once on SQLite."""
    url: str = request.getfixturevalue(f"migrated_{request.param}_url")
    return url


def pytest_configure() -> None:
    """Each file is compiled once for all processes of the tests, whatever the environment says.

    The collector would walk what is collected again and again while more of it comes.
    """
    _work_in_memory()
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    gc.disable()


def _work_in_memory() -> None:
    """Servers and ledgers of tests are thousands of small files that are synced and thrown away: a
    database of Postgres is six hundred, which cost a disk's file system most of a test's time.

    Where TMPDIR names a place, or there is no such memory with room, they are left on the disk.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    is_for_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    if is_for_programs and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        os.environ["TMPDIR"], tempfile.tempdir = str(MEMORY), None


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end, so the collector need not look at them."""
    gc.freeze()
    collect_seldom()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows the end of the log of every server it used."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Server):
                report.sections.append((f"log of {value.name}", value.log_tail()))
    return report

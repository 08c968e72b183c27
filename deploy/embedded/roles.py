"""The parts of the stack: a server, the door, workers, an indexer, and Flower to watch them."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from deploy.embedded.environment import child_environment, python_command
from deploy.embedded.files.credentials import FLOWER_USER, Credentials
from deploy.embedded.files.folder import StackFolder
from deploy.embedded.metrics_ports import INDEXER, with_metrics_port, worker_name
from deploy.embedded.processes.http_probe import answers_ok
from deploy.embedded.processes.ports import LOOPBACK
from deploy.embedded.processes.role import ProcessRole, StopTurn
from deploy.embedded.redis_server import redis_answers, redis_command, redis_reply
from shared.settings import Settings

# A stop is bounded by what the role itself promises, and this much for its exit.
_GRACE_SECONDS: Final = 5.0
_PIDBOX: Final = "_kombu.binding.celery.pidbox"


def redis_role(folder: StackFolder, *, port: int, password: str) -> ProcessRole:
    return ProcessRole(
        name="redis",
        command=redis_command(folder.redis, port=port, password=password),
        environment={"PATH": "/usr/bin:/bin"},
        is_ready=lambda: redis_answers(port=port, password=password),
        stop_turn=StopTurn.SERVER,
        patience_seconds=_GRACE_SECONDS,
    )


def ingress_role(settings: Settings, environment: Mapping[str, str]) -> ProcessRole:
    port = settings.ingress.port
    ending_seconds = settings.ingress.notice_seconds + settings.ingress.drain_seconds
    return ProcessRole(
        name="ingress",
        command=python_command("ingress"),
        environment=child_environment(environment),
        is_ready=lambda: answers_ok(port, "/readyz"),
        stop_turn=StopTurn.DOOR,
        patience_seconds=ending_seconds + _GRACE_SECONDS,
    )


def worker_role(
    number: int,
    settings: Settings,
    environment: Mapping[str, str],
    *,
    redis_port: int,
    password: str,
    metrics_port: int | None,
) -> ProcessRole:
    return _celery_role(
        f"worker{number}",
        "workers",
        with_metrics_port(environment, "WORKER", metrics_port),
        has_bound=_binding(redis_port=redis_port, password=password),
        name=worker_name(number),
        patience_seconds=settings.worker.soft_shutdown_seconds + 2 * _GRACE_SECONDS,
    )


def indexer_role(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    redis_port: int,
    password: str,
    metrics_port: int | None,
) -> ProcessRole:
    return _celery_role(
        "indexer",
        "indexer",
        with_metrics_port(environment, "INDEX", metrics_port),
        has_bound=_binding(redis_port=redis_port, password=password),
        name=INDEXER,
        patience_seconds=settings.worker.soft_shutdown_seconds + 2 * _GRACE_SECONDS,
        is_needed=False,
    )


def _binding(*, redis_port: int, password: str) -> Callable[[str], Awaitable[bool]]:
    """Whether a node takes messages: it binds its mailbox for remote control once it does."""

    async def has_bound(node: str) -> bool:
        bound = await redis_reply("SMEMBERS", _PIDBOX, port=redis_port, password=password)
        return f"{node}.celery.pidbox".encode() in bound

    return has_bound


def _celery_role(
    node_name: str,
    module: str,
    environment: Mapping[str, str],
    *,
    has_bound: Callable[[str], Awaitable[bool]],
    name: str,
    patience_seconds: float,
    is_needed: bool = True,
) -> ProcessRole:
    # Two nodes of one name would fight: a name of its own for each run.
    node = f"{node_name}-{secrets.token_hex(3)}@{LOOPBACK}"
    return ProcessRole(
        name=name,
        command=python_command(module, "--name", node),
        environment=child_environment(environment),
        is_ready=lambda: has_bound(node),
        stop_turn=StopTurn.WORK,
        patience_seconds=patience_seconds,
        is_needed=is_needed,
    )


async def forget_old_workers(*, redis_port: int, password: str) -> None:
    """Workers of earlier runs left the names of their mailboxes; nobody reads them any more."""
    await redis_reply("DEL", _PIDBOX, port=redis_port, password=password)


def flower_role(port: int, environment: Mapping[str, str], credentials: Credentials) -> ProcessRole:
    """Shows, and changes nothing; behind a login that is not on its command line."""
    login = {"FLOWER_BASIC_AUTH": f"{FLOWER_USER}:{credentials.flower_password}"}
    return ProcessRole(
        name="flower",
        command=python_command(
            "deploy.flower",
            f"--address={LOOPBACK}",
            f"--port={port}",
            "--read-only=true",
        ),
        environment=child_environment({**environment, **login}),
        is_ready=lambda: answers_ok(port, "/healthcheck"),
        stop_turn=StopTurn.WORK,
        patience_seconds=_GRACE_SECONDS,
    )

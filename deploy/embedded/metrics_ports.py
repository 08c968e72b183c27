"""At which ports the workers and the indexer of a stack tell their metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from deploy.embedded.environment import overlaid
from deploy.embedded.processes.ports import usable_port
from shared.settings import Settings

INDEXER: Final = "indexer"
_HIGHEST: Final = 65_535


def worker_name(number: int) -> str:
    """What the stack calls its worker of this number, from 1 on."""
    return f"worker-{number}"


def wanted_ports(settings: Settings) -> dict[str, int]:
    """By name of the process, in the order of deploy/prometheus: the first worker, the indexer,
    other workers. 0 is any; what a process's own settings say goes first."""
    stack, first = settings.embedded, settings.embedded.metrics_port
    if not stack.metrics:
        return {}
    wanted = {worker_name(1): settings.worker.metrics_port or first}
    if stack.indexer:
        wanted[INDEXER] = settings.index.metrics_port or _next_to(first, 1)
    others = range(2, stack.workers + 1)
    return wanted | {worker_name(number): _next_to(first, number) for number in others}


def usable_ports(wanted: Mapping[str, int]) -> dict[str, int]:
    """These ports where they are free, others where not; each once."""
    found = dict[str, int]()
    for name, port in wanted.items():
        usable = usable_port(port)
        while usable in found.values():
            usable = usable_port(0)
        found[name] = usable
    return found


def with_metrics_port(
    environment: Mapping[str, str], section: str, port: int | None
) -> dict[str, str]:
    """The variables of a process that tells its metrics there; as they were without a port."""
    said = {} if port is None else {f"FOREBAY_{section}__METRICS_PORT": str(port)}
    return overlaid(environment, said)


def _next_to(port: int, by: int) -> int:
    return port + by if 0 < port <= _HIGHEST - by else 0

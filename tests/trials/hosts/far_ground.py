"""The ground of faults, with the door and each worker on a host of its own."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from typing import Final

from tests.chaos.door import Door
from tests.chaos.ground import WORKERS, Ground
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.stack import Stack
from tests.trials.hosts.host_network import Host, HostNetwork

_LOOPBACK: Final = re.compile(r"127\.0\.0\.1:(\d+)")


class FarGround(Ground):
    """Servers, provider and producers are on this machine, and everything else is not."""

    door_host: Host
    worker_hosts: list[Host]

    def _door_and_workers(self) -> tuple[Door, list[AgentWorker]]:
        network = self._stack.enter_context(HostNetwork())
        self.stack = _seen_from_afar(self.stack, network)
        self.door_host, *self.worker_hosts = (network.host() for _ in range(1 + WORKERS))
        host = self.door_host
        door = Door(self.stack, self._folder, address=host.address, through=host.command)
        return door, [
            AgentWorker(self.stack, self._folder, through=host.command)
            for host in self.worker_hosts
        ]


def _seen_from_afar(stack: Stack, network: HostNetwork) -> Stack:
    reachable = cache(network.reachable)

    def told(url: str) -> str:
        return _LOOPBACK.sub(lambda found: reachable(int(found[1])), url)

    return replace(
        stack,
        broker_url=told(stack.broker_url),
        redis_url=told(stack.redis_url),
        ledger_url=told(stack.ledger_url),
        providers=json.loads(told(json.dumps(stack.providers))),
    )

"""How evenly deployments of unequal speed are kept busy, and what it does to the slowest calls.

Two workers ask at 70 % of what all three can do; nine calls in ten are short. Beside the least
tokens under way stand round robin, which every worker does for itself, and chance; and the least
tokens once more where each message is of one of forty conversations, which stay where they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from tests.benchmarks.deployments.asking import MEAN_TOKENS
from tests.benchmarks.deployments.servers import PLACES
from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Progress, Row
from tests.servers.ports import free_port

SPEEDS: Final = {"fast": 2000.0, "usual": 1000.0, "slow": 500.0}
"""Tokens a second of one answer."""
LOAD: Final = 0.7
WORKERS: Final = 2
SECONDS_A_POLICY: Final = 3
POLICIES: Final = ("least", "in_turn", "random", "affine")


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """p99 of a call, and the slow one's share of the work; it can do a seventh of it."""
    ground = stage.ground(Broker.REDIS, Ledger.SQLITE)
    ports = {name: free_port() for name in SPEEDS}
    module = "tests.benchmarks.deployments.servers"
    program = Program(
        ["-m", module, *(f"{ports[name]}={speed}" for name, speed in SPEEDS.items())],
        log=ground.folder / "deployments.log",
        environment={},
    )
    urls = [f"{name}=http://127.0.0.1:{port}/v1" for name, port in ports.items()]
    late: dict[str, float] = {}
    slow: dict[str, float] = {}
    stayed: dict[str, float] = {}
    with program:
        program.wait_until(lambda: "ready" in program.log_text(), "deployments")
        for policy in POLICIES:
            say(f"three deployments, {policy}")
            asked = _asked(ground, policy, urls, seconds * SECONDS_A_POLICY)
            late[policy] = sorted(asked.seconds)[int(len(asked.seconds) * 0.99)] * 1000
            slow[policy] = 100 * asked.tokens["slow"] / sum(asked.tokens.values())
            stayed[policy] = 100 * asked.stayed
    possible = 100 * SPEEDS["slow"] / sum(SPEEDS.values())
    yield _row("p99 of a call, deployments of speeds 4:2:1", "ms", late)
    yield _row(f"tokens that the slowest wrote; it can do {possible:.0f} %", "%", slow)
    yield _row("messages of a conversation where most of it is", "%", stayed)


class Asked:
    """What all workers say of one policy."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.tokens: Counter[str] = Counter()
        self._homes: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, said: str) -> None:
        found = json.loads(said)
        self.seconds += found["seconds"]
        self.tokens.update(found["tokens"])
        for conversation, places in found["homes"].items():
            self._homes[conversation].update(places)

    @property
    def stayed(self) -> float:
        """The share of the messages that went where most of their conversation did."""
        at_home = sum(max(places.values()) for places in self._homes.values())
        return at_home / len(self.seconds)


def _row(what: str, unit: str, figures: dict[str, float]) -> Row:
    return Row(
        what=what,
        on=f"{WORKERS} workers, beside round robin",
        unit=unit,
        ours=figures["least"],
        stock=figures["in_turn"],
        apart={"at random": figures["random"], "40 conversations": figures["affine"]},
    )


def _asked(ground: Ground, policy: str, urls: Sequence[str], seconds: float) -> Asked:
    rate = LOAD * PLACES * sum(SPEEDS.values()) / MEAN_TOKENS / WORKERS
    command = [sys.executable, "-m", "tests.benchmarks.deployments.asking", policy]
    workers = [
        subprocess.Popen(
            [*command, ground.redis_url, str(seconds), str(rate), str(seed), *urls],
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(WORKERS)
    ]
    asked = Asked()
    for worker in workers:
        said, _ = worker.communicate(timeout=seconds + 180)
        asked.add(said)
    return asked

"""`python -m tests.chaos.soak --faults 200 --messages 10000`: hours of bad luck in minutes.

Not part of the suite. Prints the account as JSON; its exit code is 1 where the promise was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.chaos.account import Account, settle_account
from tests.chaos.batch_account import BatchAccount, settle_batches
from tests.chaos.batch_faults import BATCH_FAULTS
from tests.chaos.batch_traffic import open_batch_traffic
from tests.chaos.faults import FAULTS
from tests.chaos.ground import Broker, Ground
from tests.chaos.rarer_faults import RARER_FAULTS
from tests.chaos.traffic import Traffic, open_traffic

_SETTLING_SECONDS = 120.0
_LEAST_BETWEEN_FAULTS_SECONDS = 0.5
_MOST_BETWEEN_FAULTS_SECONDS = 3.0
_KNOWN = FAULTS | RARER_FAULTS | BATCH_FAULTS


def main() -> int:
    """Run it and say what became of every message."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--batches", type=int, default=20, help="beside the messages")
    parser.add_argument("--broker", type=Broker, choices=list(Broker), default=Broker.RABBITMQ)
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same faults")
    arguments = parser.parse_args()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="forebay-soak-") as folder,
        Ground(arguments.broker, Path(folder)) as ground,
    ):
        account, of_batches, faults = asyncio.run(_soak(ground, arguments))
    figures = {
        "broker": arguments.broker,
        "seed": arguments.seed,
        "seconds": round(time.monotonic() - began, 1),
        "faults": dict(faults),
        "account": json.loads(str(account)),
        "batches": json.loads(str(of_batches)),
    }
    print(json.dumps(figures, indent=2))
    return 1 if account.violations or of_batches.violations else 0


async def _soak(
    ground: Ground, asked: argparse.Namespace
) -> tuple[Account, BatchAccount, Counter[str]]:
    async with open_traffic(ground) as traffic, open_batch_traffic(ground) as batches:
        # Spread over the whole time of the faults, so that each of them finds turns under way.
        seconds = asked.faults * _MOST_BETWEEN_FAULTS_SECONDS
        async with asyncio.TaskGroup() as group:
            group.create_task(traffic.post(asked.messages, pause_seconds=seconds / asked.messages))
            pause = seconds / max(1, asked.batches)
            group.create_task(batches.post(asked.batches, pause_seconds=pause))
            done = await _strike(ground, traffic, asked.faults, Random(asked.seed))
        of_batches = await settle_batches(ground, batches, seconds=_SETTLING_SECONDS)
        account = await settle_account(ground, traffic, seconds=_SETTLING_SECONDS)
    return account, of_batches, done


async def _strike(ground: Ground, traffic: Traffic, faults: int, random: Random) -> Counter[str]:
    """So many faults at random, each some time after the last; how many there were of each."""
    done: Counter[str] = Counter()
    for number in range(faults):
        await asyncio.sleep(
            random.uniform(_LEAST_BETWEEN_FAULTS_SECONDS, _MOST_BETWEEN_FAULTS_SECONDS)
        )
        name = random.choice(list(_KNOWN))
        await _KNOWN[name](ground)
        done[name] += 1
        print(f"{number + 1}/{faults} {name}, {len(traffic.accepted)} accepted", file=sys.stderr)
    return done


if __name__ == "__main__":
    sys.exit(main())

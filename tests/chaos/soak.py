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
from tests.chaos.faults import FAULTS
from tests.chaos.ground import Broker, Ground
from tests.chaos.rarer_faults import RARER_FAULTS
from tests.chaos.traffic import open_traffic

_SETTLING_SECONDS = 120.0
_LEAST_BETWEEN_FAULTS_SECONDS = 0.5
_MOST_BETWEEN_FAULTS_SECONDS = 3.0


def main() -> int:
    """Run it and say what became of every message."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--broker", type=Broker, choices=list(Broker), default=Broker.RABBITMQ)
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same faults")
    arguments = parser.parse_args()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="forebay-soak-") as folder,
        Ground(arguments.broker, Path(folder)) as ground,
    ):
        account, faults = asyncio.run(
            _soak(ground, arguments.messages, arguments.faults, Random(arguments.seed))
        )
    figures = {
        "broker": arguments.broker,
        "seed": arguments.seed,
        "seconds": round(time.monotonic() - began, 1),
        "faults": dict(faults),
        "account": json.loads(str(account)),
    }
    print(json.dumps(figures, indent=2))
    return 1 if account.violations else 0


async def _soak(
    ground: Ground, messages: int, faults: int, random: Random
) -> tuple[Account, Counter[str]]:
    done: Counter[str] = Counter()
    faults_known = FAULTS | RARER_FAULTS
    async with open_traffic(ground) as traffic:
        # Spread over the whole time of the faults, so that each of them finds turns under way.
        pause = faults * _MOST_BETWEEN_FAULTS_SECONDS / messages
        posting = asyncio.create_task(traffic.post(messages, pause_seconds=pause))
        for number in range(faults):
            await asyncio.sleep(
                random.uniform(_LEAST_BETWEEN_FAULTS_SECONDS, _MOST_BETWEEN_FAULTS_SECONDS)
            )
            name = random.choice(list(faults_known))
            await faults_known[name](ground)
            done[name] += 1
            print(
                f"{number + 1}/{faults} {name}, {len(traffic.accepted)} accepted", file=sys.stderr
            )
        await posting
        account = await settle_account(ground, traffic, seconds=_SETTLING_SECONDS)
    return account, done


if __name__ == "__main__":
    sys.exit(main())

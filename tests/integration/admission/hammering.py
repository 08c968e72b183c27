"""One ingress process that hammers one tenant and prints how many messages came in.

python -m tests.integration.admission.hammering URL TENANT BURST TASKS MESSAGES
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack

from ingress.admission.verdict import Admitted
from shared.messages.tenant import Plan, Tenant
from tests.integration.admission.conftest import door, message, standing
from tests.integration.patience import patient_circuits, patient_settings


async def main(url: str, tenant_id: str, burst: int, tasks: int, messages: int) -> None:
    owner = Tenant(tenant_id, "test", Plan(1, 1_000_000, 1, 1_000_000, 1_000_000))
    async with AsyncExitStack() as stack:
        admission = door(patient_settings(url), stack, settings=standing(burst))

        async def hammer() -> int:
            verdicts = [await admission.decide(message(owner)) for _ in range(messages)]
            return sum(isinstance(verdict, Admitted) and not verdict.local for verdict in verdicts)

        print(sum(await asyncio.gather(*(hammer() for _ in range(tasks)))))


if __name__ == "__main__":
    url, tenant_id, burst, tasks, messages = sys.argv[1:]
    with patient_circuits():
        asyncio.run(main(url, tenant_id, int(burst), int(tasks), int(messages)))

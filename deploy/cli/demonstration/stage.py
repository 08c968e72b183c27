"""Where the scenes play: a running stack, and two providers that do as they are told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from deploy.cli.demonstration.visitor import Visitor, open_session
from deploy.embedded.environment import overlaid
from deploy.embedded.files.state_file import StackState
from deploy.embedded.stack import EmbeddedStack, embedded_stack
from deploy.scripted_provider.provider import ScriptedProvider
from shared.clock import SystemClock
from shared.messages.tenant import KeyScope, Plan
from shared.persistence.engine import open_database
from shared.persistence.tenants import TenantRepository
from shared.settings import load_settings
from workers.providers.building import BUILT_IN_RULES

BURST_SHARE: Final = 0.05
_SETTINGS: Final = """\
[ingress]
port = 0

[embedded]
folder = "{folder}"
flower_port = 0

# A short burst is enough to be refused, and little time enough to be let in again.
[limits]
burst_share = {burst_share}

# A worker that dies is noticed after seconds here, so that the scene about it is short.
[ledger]
lease_seconds = 2.0
sweep_seconds = 0.3

# Scene after scene breaks a provider; none of them shall find it left alone.
[breakers]
failures_in_a_row = 12
minimum_calls = 1000
open_seconds = 1.0

[[providers]]
name = "primary"
kind = "openai_compatible"
base_url = "{primary}"
model = "scripted"
max_tries = 2

[[providers]]
name = "secondary"
kind = "openai_compatible"
base_url = "{secondary}"
model = "scripted"
max_tries = 2

[[providers]]
name = "rules"
kind = "rules"
rules_file = "{rules}"

[[providers]]
name = "handoff"
kind = "handoff"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a scene works with. `environment` makes a process of its own part of the stack."""

    stack: EmbeddedStack
    state: StackState
    session: aiohttp.ClientSession
    visitor: Visitor
    primary: ScriptedProvider
    secondary: ScriptedProvider
    environment: dict[str, str]

    def reset(self) -> None:
        """Both providers are honest again and have forgotten every call."""
        self.primary.reset()
        self.secondary.reset()

    async def visitor_with(self, plan: Plan, *, tenant: str) -> Visitor:
        """A producer of a new tenant with limits of its own."""
        database = open_database(load_settings(self.environment).ledger)
        try:
            tenants = TenantRepository(database, SystemClock())
            owner = await tenants.create(tenant, plan)
            created = await tenants.create_key(owner, scope=KeyScope.PRODUCER)
        finally:
            await database.close()
        return Visitor(self.session, self.state.url, created.key)


@asynccontextmanager
async def open_stage(folder: Path, *, report: Callable[[str], None]) -> AsyncIterator[Stage]:
    """A stack in `folder` that knows nothing of the settings around it."""
    async with ScriptedProvider() as primary, ScriptedProvider() as secondary:
        settings = folder / "forebay.toml"
        settings.write_text(
            _SETTINGS.format(
                folder=folder / "stack",
                burst_share=BURST_SHARE,
                primary=primary.openai_url,
                secondary=secondary.openai_url,
                rules=BUILT_IN_RULES,
            ),
            encoding="utf-8",
        )
        own = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        environment = {**own, "FOREBAY_CONFIG": str(settings)}
        async with (
            embedded_stack(environment, report=report) as (stack, state),
            open_session() as session,
        ):
            yield Stage(
                stack=stack,
                state=state,
                session=session,
                visitor=Visitor(session, state.url, state.key),
                primary=primary,
                secondary=secondary,
                environment=overlaid(environment, state.environment),
            )


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 15.0) -> bool:
    """Whether it came to hold in time."""
    try:
        async with asyncio.timeout(seconds):
            while not await holds():  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    return True


def _is_setting(name: str) -> bool:
    return name.startswith("FOREBAY_")

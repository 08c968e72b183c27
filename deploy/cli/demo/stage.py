"""Where the scenes play: a running stack, and two providers that do as they are told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

import aiohttp

from deploy.cli.demo.books import Books
from deploy.cli.demo.dollars import NOTHING
from deploy.cli.demo.fleet import Fleet
from deploy.cli.demo.receiver import Receiver, receiving
from deploy.cli.demo.settings_text import settings_text
from deploy.cli.demo.visitor import Visitor, open_session
from deploy.embedded.environment import overlaid
from deploy.embedded.files.state_file import StackState
from deploy.embedded.stack import EmbeddedStack, embedded_stack
from deploy.scripted_provider.provider import ScriptedProvider
from shared.clock import SystemClock
from shared.costs.price import TokenCount
from shared.costs.prices import Prices, open_prices
from shared.messages.tenant import KeyScope, Plan
from shared.persistence.engine import Database, open_database
from shared.persistence.tenants import TenantRepository
from shared.redis.client import open_redis
from shared.settings import load_settings
from shared.webhooks.signing import new_secret

_NONE: Final[Mapping[str, str]] = {}
_TRACES: Final = "FOREBAY_TELEMETRY__TRACES_ENDPOINT"
AMPLE: Final = Plan(
    requests_per_minute=60_000,
    tokens_per_minute=60_000_000,
    user_requests_per_minute=60_000,
    user_tokens_per_minute=60_000_000,
    max_in_flight=10_000,
)
"""Limits that no scene meets by accident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a scene works with. `environment` makes a process of its own part of the stack;
    `workers` says how many worker processes it has, `sweep_seconds` how often they look around,
    `shelves` which folders of Forebay's own are indexed; `told` is who gets alerts, signed with
    `alert_secret`.
    """

    stack: EmbeddedStack
    state: StackState
    session: aiohttp.ClientSession
    visitor: Visitor
    primary: ScriptedProvider
    secondary: ScriptedProvider
    database: Database
    books: Books
    fleet: Fleet
    prices: Prices
    workers: int
    sweep_seconds: float
    environment: dict[str, str]
    shelves: tuple[str, ...]
    told: Receiver
    alert_secret: str

    async def reset(self) -> None:
        """Both providers are honest again, have forgotten every call and have no bad name."""
        self.primary.reset()
        self.secondary.reset()
        await self.fleet.close_breakers()

    def cost_with(self, model: str, tokens: TokenCount) -> Decimal:
        """US dollars that so many tokens cost with a model of the first provider."""
        cost = self.prices.cost("primary", model, tokens, at=SystemClock().now())
        return NOTHING if cost is None else cost

    async def visitor_with(self, plan: Plan, *, tenant: str) -> Visitor:
        """A producer of a new tenant with limits of its own."""
        tenants = TenantRepository(self.database, SystemClock())
        owner = await tenants.create(tenant, plan)
        created = await tenants.create_key(owner, scope=KeyScope.PRODUCER)
        return Visitor(self.session, self.state.url, created.key)


@asynccontextmanager
async def open_stage(
    folder: Path,
    *,
    report: Callable[[str], None],
    variables: Mapping[str, str] = _NONE,
    provider_batches: bool = True,
    shelves: tuple[str, ...] = (),
) -> AsyncIterator[Stage]:
    """A stack in `folder` that knows nothing of the settings around it, but of `variables`.

    With `provider_batches` the first provider takes what can wait as batches of its own.
    """
    async with AsyncExitStack() as exits:
        primary = await exits.enter_async_context(ScriptedProvider())
        secondary = await exits.enter_async_context(ScriptedProvider())
        told, alert_secret = await exits.enter_async_context(receiving()), new_secret()
        text = settings_text(
            folder / "stack",
            primary=primary.openai_url,
            secondary=secondary.url,
            alerts_url=told.url,
            alerts_secret=_kept(alert_secret, folder / "alerts.secret"),
            takes_batches=provider_batches,
        )
        settings_file = _kept(text, folder / "forebay.toml")
        own = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        environment = {**own, "FOREBAY_CONFIG": str(settings_file), **variables}
        stack, state = await exits.enter_async_context(embedded_stack(environment, report=report))
        joined = overlaid(environment, state.environment)
        settings = load_settings(joined)
        database = open_database(settings.ledger)
        exits.push_async_callback(database.close)
        redis = await exits.enter_async_context(aclosing(open_redis(settings.redis)))
        session = await exits.enter_async_context(open_session())
        yield Stage(
            stack=stack,
            state=state,
            session=session,
            visitor=Visitor(session, state.url, state.key),
            primary=primary,
            secondary=secondary,
            database=database,
            books=Books(database),
            fleet=Fleet(redis, settings.breakers),
            workers=settings.embedded.workers,
            sweep_seconds=settings.ledger.sweep_seconds,
            prices=open_prices(settings.costs.prices, settings.providers),
            environment=joined,
            shelves=shelves,
            told=told,
            alert_secret=alert_secret,
        )


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 60.0) -> bool:
    """Whether it came to hold in time."""
    try:
        async with asyncio.timeout(seconds):
            while not await holds():  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    return True


def _kept(text: str, file: Path) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


def _is_setting(name: str) -> bool:
    # Whoever watches the demo may want its traces; all else is the demo's own.
    return name.startswith("FOREBAY_") and name != _TRACES

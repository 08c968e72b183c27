"""Which Forebay a command speaks to."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deploy.cli.acts.pending import pending_act
from deploy.cli.output import complain
from shared.errors import InvalidRequest, LedgerUnavailable, RedisUnavailable, Unavailable

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from deploy.embedded.files.state_file import StackState
    from shared.persistence.engine import Database
    from shared.settings import Settings

_SERVERS: Final = ("FOREBAY_BROKER__URL", "FOREBAY_REDIS__URL", "FOREBAY_LEDGER__URL")


def running_stack() -> StackState | None:
    """The embedded stack that runs in this folder, if one does; raises SettingsError."""
    from deploy.embedded.files.folder import StackFolder
    from deploy.embedded.files.state_file import read_state
    from shared.settings import load_settings

    folder = StackFolder(Path(load_settings().embedded.folder))
    return read_state(folder.state) if folder.is_claimed() else None


def door_and_key(url: str | None, key: str | None) -> tuple[str, str]:
    """The door to speak to over HTTP and the key for it: those, else those of the environment, else
    those of the stack that runs in this folder. Raises Unavailable, InvalidRequest.
    """
    address = url or os.environ.get("FOREBAY_URL")
    secret = key or os.environ.get("FOREBAY_API_KEY")
    if not (address and secret):
        stack = running_stack()
        address = address or (stack.url if stack else None)
        secret = secret or (stack.key if stack else None)
    if not address:
        raise Unavailable(
            "There is no Forebay to send to: start one here with `forebay up`, or set FOREBAY_URL."
        )
    if not secret:
        raise Unavailable(
            "There is no API key: set FOREBAY_API_KEY (`forebay keys create` makes one)."
        )
    if not address.startswith(("http://", "https://")):
        raise InvalidRequest(f"'{address}' is no URL of a door: write http://HOST:PORT.")
    return address, secret


def command_environment() -> dict[str, str]:
    """This process's variables, with those of an embedded stack that runs here in the place of what
    they say of the same settings; unless they name servers. Raises SettingsError.
    """
    names_servers = any(os.environ.get(name) or f"{name}_FILE" in os.environ for name in _SERVERS)
    stack = None if names_servers else running_stack()
    if stack is None:
        return {**os.environ}
    from deploy.embedded.environment import overlaid

    return overlaid(os.environ, stack.environment)


def command_settings() -> Settings:
    """The settings that this environment has; raises SettingsError."""
    from shared.settings import load_settings

    return load_settings(command_environment())


@asynccontextmanager
async def open_ledger(settings: Settings) -> AsyncIterator[Database]:
    """The database, known to answer and to have its tables; a pending act is in its audit log.

    Raises LedgerUnavailable with the remedy.
    """
    from shared.persistence.engine import open_database
    from shared.persistence.migrating import missing_migrations

    database = open_database(settings.ledger)
    try:
        await _reach(database, settings)
        if await missing_migrations(database):
            raise LedgerUnavailable(
                f"The ledger at {settings.ledger.url.redacted} lacks tables of this version: "
                "run `forebay check --migrate`."
            )
        if (pending := pending_act.get()) is not None:
            await pending.begin(database, settings)
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def open_command_redis(settings: Settings) -> AsyncIterator[Redis]:
    """A client of it; who asks raises RedisUnavailable with the remedy."""
    from shared.redis.client import open_redis
    from shared.redis.refusal import why_redis_refuses

    redis = open_redis(settings.redis)
    try:
        yield redis
    except RedisUnavailable as error:
        why = why_redis_refuses(error.__cause__ or error, section="redis")
        raise RedisUnavailable(f"Redis at {settings.redis.url.redacted} {why}.") from error
    finally:
        await redis.aclose()


async def tell_doors(settings: Settings, tenant_id: str) -> None:
    """Let running doors look up anew what they know of this tenant and its keys.

    Where Redis cannot tell them, whoever typed the command hears when they will know.
    """
    from shared.accepting.key_changes import KeyChanges

    try:
        async with open_command_redis(settings) as redis:
            await KeyChanges(redis).tell(tenant_id)
    except RedisUnavailable as error:
        complain(
            f"{error.message} Running doors could not be told and follow within "
            f"{settings.ingress.key_cache_seconds:g} s (ingress.key_cache_seconds)."
        )


async def _reach(database: Database, settings: Settings) -> None:
    try:
        await database.ping()
    except LedgerUnavailable as error:
        raise LedgerUnavailable(
            f"The ledger at {settings.ledger.url.redacted} does not answer: start it, set "
            "FOREBAY_LEDGER__URL, or start everything here with `forebay up`."
        ) from error

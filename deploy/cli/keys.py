"""`forebay keys`: tenants' API keys."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter

from deploy.cli.connection import command_settings, open_ledger, tell_doors
from deploy.cli.options import AsJson
from deploy.cli.output import say, say_json, say_table
from deploy.cli.tenants import checked_name, tenant_named
from shared.clock import SystemClock
from shared.errors import InvalidRequest
from shared.messages.tenant import KeyScope

if TYPE_CHECKING:
    from shared.persistence.key_records import KeyReach, KeyRecord, NewKey

_UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION: Final = re.compile(r"([0-9]{1,6})([smhd])")

keys = App(name="keys", help="API keys: make, list, replace and revoke them.")


@keys.command
def create(
    *,
    tenant: str,
    scope: KeyScope = KeyScope.PRODUCER,
    expires: str | None = None,
    principal: tuple[str, ...] = (),
    delegates: Annotated[bool, Parameter(negative=())] = False,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, this once. A tenant that does not exist is made as well.

    Parameters
    ----------
    tenant
        Name of the tenant that the key belongs to.
    scope
        `producer` may post messages; `reader` sees the console and `operator` acts there, and
        neither posts; `admin` may do all of it.
    expires
        How long it works, such as 30d, 12h or 45m; for ever when not given.
    principal
        Somebody whose documents of the index it shows, such as user:ann; may be repeated. Without
        any it shows all of the tenant's, and writes them.
    delegates
        Its requests name their principals themselves, signed with the key; unsigned ones see what
        everybody may see.
    """
    lifetime = None if expires is None else duration(expires)
    if lifetime == timedelta():
        raise InvalidRequest(f"--expires {expires} would make a key that never works: write 1d.")
    reach = _reach(principal, delegates=delegates)
    _show(asyncio.run(_create(checked_name(tenant), scope, lifetime, reach)), as_json=as_json)


@keys.command(name="list")
def list_keys(*, tenant: str | None = None, as_json: AsJson = False) -> None:
    """Show all keys, without the keys themselves.

    Parameters
    ----------
    tenant
        Show this tenant's only.
    """
    records = asyncio.run(_list(tenant))
    if as_json:
        say_json(records)
        return
    say_table(
        ("id", "tenant", "key", "scope", "sees", "made", "state"),
        [
            (
                record.id,
                record.tenant_name,
                record.hint,
                record.scope,
                _sees(record),
                _day(record),
                _state(record),
            )
            for record in records
        ],
        empty="There are no keys. Make one: forebay keys create --tenant NAME",
    )


@keys.command
def rotate(
    key_id: str,
    /,
    *,
    overlap: Annotated[str, Parameter(help="How long the old key goes on working.")] = "24h",
    as_json: AsJson = False,
) -> None:
    """Make a new key like this one and let the old one run out.

    Parameters
    ----------
    key_id
        Its id, as `forebay keys list` shows it.
    """
    _show(asyncio.run(_rotate(key_id, duration(overlap))), as_json=as_json)


@keys.command
def revoke(key_id: str, /, *, as_json: AsJson = False) -> None:
    """Stop a key from working. Running doors hear of it from Redis and refuse it at once.

    Parameters
    ----------
    key_id
        Its id, as `forebay keys list` shows it.
    """
    record = asyncio.run(_revoke(key_id))
    if as_json:
        say_json(record)
    else:
        say(f"{record.id} ({record.hint}, tenant '{record.tenant_name}') is revoked.")


def duration(text: str) -> timedelta:
    """`30d`, `12h`, `45m` or `90s`; raises InvalidRequest."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InvalidRequest(f"'{text}' is no duration: write a number and s, m, h or d, like 30d.")
    return timedelta(seconds=int(match[1]) * _UNIT_SECONDS[match[2]])


def _reach(principals: tuple[str, ...], *, delegates: bool) -> KeyReach:
    from shared.persistence.key_records import KeyReach, check_principals

    check_principals(principals, "--principal")
    return KeyReach(principals or None, delegates=delegates)


async def _create(
    name: str, scope: KeyScope, lifetime: timedelta | None, reach: KeyReach
) -> NewKey:
    from shared.persistence.tenants import TenantRepository

    async with open_ledger(command_settings()) as database:
        tenants = TenantRepository(database, SystemClock())
        owner = await tenants.named(name) or await tenants.create(name)
        expires_at = None if lifetime is None else SystemClock().now() + lifetime
        return await tenants.create_key(owner, scope=scope, expires_at=expires_at, reach=reach)


async def _list(tenant: str | None) -> list[KeyRecord]:
    from shared.persistence.tenants import TenantRepository

    async with open_ledger(command_settings()) as database:
        tenants = TenantRepository(database, SystemClock())
        if tenant is not None:
            await tenant_named(tenant, tenants)
        return await tenants.keys(tenant_name=tenant)


async def _rotate(key_id: str, overlap: timedelta) -> NewKey:
    from shared.persistence.tenants import TenantRepository

    settings = command_settings()
    async with open_ledger(settings) as database:
        made = await TenantRepository(database, SystemClock()).rotate_key(key_id, overlap=overlap)
    await tell_doors(settings, made.record.tenant_id)
    return made


async def _revoke(key_id: str) -> KeyRecord:
    from shared.persistence.tenants import TenantRepository

    settings = command_settings()
    async with open_ledger(settings) as database:
        revoked = await TenantRepository(database, SystemClock()).revoke_key(key_id)
    await tell_doors(settings, revoked.tenant_id)
    return revoked


def _show(created: NewKey, *, as_json: bool) -> None:
    if as_json:
        say_json(created)
        return
    say(created.key)
    say(f"This is key {created.record.id} of tenant '{created.record.tenant_name}'.")
    say("It is shown this once: only its digest is kept.")


def _day(record: KeyRecord) -> str:
    return f"{record.created_at:%Y-%m-%d}"


def _sees(record: KeyRecord) -> str:
    seen = "all" if record.principals is None else ", ".join(record.principals)
    return f"as signed of {seen}" if record.delegates else seen


def _state(record: KeyRecord) -> str:
    now = datetime.now(UTC)
    if record.revoked_at is not None:
        return "revoked" if record.revoked_at <= now else f"until {record.revoked_at:%m-%d %H:%M}"
    if record.expires_at is not None:
        return "expired" if record.expires_at <= now else f"until {record.expires_at:%Y-%m-%d}"
    return "works"

"""`forebay cache`: stored answers of a tenant."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from cyclopts import App

from deploy.cli.cache.calibrating import calibrate
from deploy.cli.options import AsJson, Limit
from deploy.cli.output import say, say_json, say_table

cache = App(name="cache", help="Stored answers: show, drop and invalidate them.")
cache.command(calibrate)


@cache.command
def invalidate(*, tenant: str, as_json: AsJson = False) -> None:
    """Put all stored answers of a tenant out of reach, because what they rest on has changed.

    Parameters
    ----------
    tenant
        Name of the tenant.
    """
    from deploy.cli.cache import stored

    entries = asyncio.run(stored.invalidate(tenant))
    if as_json:
        say_json({"tenant": tenant, "invalidated": entries})
    else:
        say(f"Invalidated: {entries} answers of {tenant}.")


@cache.command
def show(entry_id: str, /, *, tenant: str, as_json: AsJson = False) -> None:
    """Show one stored answer.

    Parameters
    ----------
    entry_id
        Its id, as `turn.cache.entry` of a response names it.
    tenant
        Name of the tenant whose it is.
    """
    from deploy.cli.cache import stored

    kept = asyncio.run(stored.find(entry_id, tenant))
    answer = kept.answer
    plain = {
        "id": entry_id,
        "response_id": answer.response_id,
        "age_seconds": round(kept.age_seconds, 1),
        "current": kept.is_current,
        "answered_by": answer.answered_by,
        "model": answer.model,
        "cost": None if answer.cost is None else str(answer.cost),
        "text": answer.text,
    }
    if as_json:
        say_json(plain)
        return
    for name, value in plain.items():
        say(f"{name:<12} {value}")


@cache.command
def drop(entry_id: str, /, *, tenant: str, as_json: AsJson = False) -> None:
    """Forget one stored answer.

    Parameters
    ----------
    entry_id
        Its id, as `turn.cache.entry` of a response names it.
    tenant
        Name of the tenant whose it is.
    """
    from deploy.cli.cache import stored

    asyncio.run(stored.drop(entry_id, tenant))
    if as_json:
        say_json({"id": entry_id, "dropped": True})
    else:
        say(f"Dropped: {entry_id}.")


@cache.command
def reports(*, tenant: str, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the stored answers that callers reported as wrong, the newest first.

    Parameters
    ----------
    tenant
        Name of the tenant.
    """
    from deploy.cli.cache import stored

    found = asyncio.run(stored.complaints(tenant, limit))
    if as_json:
        say_json(found)
        return
    say_table(
        ("entry", "at", "response", "comment"),
        [
            (one.entry, f"{_minute(one.at):%Y-%m-%d %H:%M}", one.response_id, one.comment)
            for one in found
        ],
        empty=f"Nobody has reported a stored answer of {tenant}.",
    )


def _minute(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)

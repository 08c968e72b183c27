"""May the ledger be written durably, and has it the tables of this version?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from shared.errors import LedgerUnavailable
from shared.settings.servers import LedgerSettings

if TYPE_CHECKING:
    from shared.persistence.engine import Database


async def check_ledger(settings: LedgerSettings, *, migrate: bool) -> list[CheckFinding]:
    """With `migrate`, missing migrations are applied first."""
    from shared.persistence.engine import open_database
    from shared.persistence.migrating import apply_migrations, missing_migrations

    address = settings.url.redacted
    database = open_database(settings)
    try:
        await database.ping()
        found = [] if settings.is_sqlite else await _session(database, address)
        missing = await missing_migrations(database)
        if missing and migrate:
            await apply_migrations(database)
            return [*found, fine("ledger", f"The ledger at {address} has been brought up to date.")]
        if not (missing or settings.is_sqlite):
            found += await _grants(database, address)
    except LedgerUnavailable as error:
        return [_unusable(address, error)]
    finally:
        await database.close()
    if missing:
        return [*found, _behind(address, missing)]
    return [*found, fine("ledger", f"The ledger at {address} answers and is up to date.")]


async def _session(database: Database, address: str) -> list[CheckFinding]:
    from shared.persistence.durability import session_faults

    faults, dropped = await session_faults(database.durable)
    found = [
        fault(
            "ledger",
            f"The ledger at {address} cannot be written: {each}. Name the primary in ledger.url; "
            "of several hosts &target_session_attrs=read-write finds it.",
        )
        for each in faults
    ]
    if dropped:
        found.append(
            hint(
                "ledger",
                f"What Forebay sets for each connection to {address} is dropped on the way "
                f"({', '.join(dropped)}), as a pooler does that ignores startup options. Set it "
                "for the role: docs/operating.md, Behind pgbouncer.",
            )
        )
    return found


async def _grants(database: Database, address: str) -> list[CheckFinding]:
    from shared.persistence.durability import missing_grants
    from shared.persistence.migrations.every_table import every_table

    missing = await missing_grants(database.durable, sorted(every_table().tables))
    if not missing:
        return []
    return [
        fault(
            "ledger",
            f"Our role at {address} lacks {', '.join(missing)}: grant it as its owner, see "
            "docs/operating.md, Least privilege.",
        )
    ]


def _unusable(address: str, error: LedgerUnavailable) -> CheckFinding:
    reason = error.message.partition("\n")[0]
    return fault(
        "ledger",
        f"The ledger at {address} cannot be used ({reason}): start it, mend what it names, set "
        "FOREBAY_LEDGER__URL, or start everything here with `forebay up`.",
    )


def _behind(address: str, missing: list[str]) -> CheckFinding:
    return fault(
        "ledger",
        f"The ledger at {address} lacks {len(missing)} migration(s): run `forebay check "
        "--migrate`.",
    )

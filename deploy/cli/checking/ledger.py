"""Does the ledger answer, and has it the tables of this version?"""

from __future__ import annotations

from deploy.cli.checking.finding import Finding, fault, fine
from shared.errors import LedgerUnavailable
from shared.settings.servers import LedgerSettings


async def check_ledger(settings: LedgerSettings, *, migrate: bool) -> list[Finding]:
    """With `migrate`, missing migrations are applied first."""
    from shared.persistence.engine import open_database
    from shared.persistence.migrating import apply_migrations, missing_migrations

    address = settings.url.redacted
    database = open_database(settings)
    try:
        await database.ping()
        missing = await missing_migrations(database)
        if missing and migrate:
            await apply_migrations(database)
            return [fine("ledger", f"The ledger at {address} has been brought up to date.")]
    except LedgerUnavailable as error:
        reason = error.message.partition("\n")[0]
        return [
            fault(
                "ledger",
                f"The ledger at {address} does not answer ({reason}): start it, set "
                "FOREBAY_LEDGER__URL, or start everything here with `forebay up`.",
            )
        ]
    finally:
        await database.close()
    if missing:
        return [
            fault(
                "ledger",
                f"The ledger at {address} lacks {len(missing)} migration(s): run "
                "`forebay check --migrate`.",
            )
        ]
    return [fine("ledger", f"The ledger at {address} answers and is up to date.")]

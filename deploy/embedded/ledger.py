"""The embedded ledger: its tables, and a tenant with keys to begin with."""

from __future__ import annotations

from typing import Final

import msgspec

from deploy.embedded.errors import StackFailed
from deploy.embedded.files.credentials import Credentials
from shared.clock import SystemClock
from shared.messages.tenant import KeyScope
from shared.settings.servers import LedgerSettings

FIRST_TENANT: Final = "local"


async def prepare_ledger(settings: LedgerSettings, credentials: Credentials) -> Credentials:
    """Apply migrations and see that both keys work; returns them with the other secrets.

    Raises LedgerUnavailable, or StackFailed where a newer version has been at work.
    """
    # SQLAlchemy and Alembic take half a second to import; nothing else of the stack needs them.
    from alembic.util import CommandError

    from shared.persistence.engine import open_database
    from shared.persistence.key_records import Opened
    from shared.persistence.migrating import apply_migrations
    from shared.persistence.tenants import TenantRepository

    database = open_database(settings)
    try:
        await apply_migrations(database)
        tenants = TenantRepository(database, SystemClock())
        owner = await tenants.named(FIRST_TENANT) or await tenants.create(FIRST_TENANT)

        async def working(key: str | None, scope: KeyScope) -> str:
            if key is not None and await tenants.by_key(key) == Opened(owner, scope):
                return key
            return (await tenants.create_key(owner, scope=scope)).key

        return msgspec.structs.replace(
            credentials,
            key=await working(credentials.key, KeyScope.PRODUCER),
            admin_key=await working(credentials.admin_key, KeyScope.ADMIN),
        )
    except CommandError as error:
        raise StackFailed(
            f"The ledger at {settings.url.redacted} belongs to another version of Forebay "
            f"({error}): run that version, or name another folder with FOREBAY_EMBEDDED__FOLDER."
        ) from error
    finally:
        await database.close()

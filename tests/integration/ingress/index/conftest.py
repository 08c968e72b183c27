"""A door to the index, without anybody who indexes: documents stay as they were put."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import openai
import pytest

from shared.clock import SystemClock
from shared.messages.tenant import KeyScope
from shared.persistence.engine import open_database
from shared.persistence.key_records import KeyReach
from shared.persistence.tenants import TenantRepository
from shared.settings import Settings

UploadFile = Callable[..., Awaitable[str]]


@pytest.fixture
def upload(client: openai.AsyncOpenAI) -> UploadFile:
    """Upload a text; gives the id of the file."""

    async def send(
        text: str = "Hello.", *, name: str = "a.txt", purpose: str = "assistants"
    ) -> str:
        made = await client.files.create(
            file=(name, text.encode()),
            purpose=purpose,  # type: ignore[arg-type]
        )
        return made.id

    return send


async def new_key(settings: Settings, reach: KeyReach) -> str:
    """One of the door's own tenant that sees so much."""
    database = open_database(settings.ledger)
    try:
        tenants = TenantRepository(database, SystemClock())
        tenant = await tenants.named("acme")
        assert tenant is not None
        return (await tenants.create_key(tenant, scope=KeyScope.PRODUCER, reach=reach)).key
    finally:
        await database.close()

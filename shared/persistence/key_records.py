"""What is known of an API key, and what it opens."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from shared.errors import InvalidRequest
from shared.messages.tenant import (
    LONGEST_PRINCIPAL,
    MOST_PRINCIPALS,
    KeyScope,
    Principals,
    Tenant,
)

KEY_PREFIX: Final = "fb_"
_read: Final = msgspec.json.Decoder(Principals)


class KeyReach(NamedTuple):
    """Which documents of its tenant's index a key shows.

    Without principals (None) all of them; else those that name no readers, or one of these. A key
    that delegates shows what the principals that come with a request, signed, may see.
    """

    principals: tuple[str, ...] | None = None
    delegates: bool = False


EVERYTHING: Final = KeyReach()


class Opened(NamedTuple):
    """Whose door a key opens, for what, and whose documents it shows."""

    tenant: Tenant
    scope: KeyScope
    principals: tuple[str, ...] | None = None
    delegates: bool = False


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known about a key; never the key itself."""

    id: str
    tenant_id: str
    tenant_name: str
    hint: str
    scope: KeyScope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    principals: tuple[str, ...] | None
    delegates: bool


KEY_COLUMNS: Final = tuple(each.name for each in fields(KeyRecord) if each.name != "tenant_name")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key in clear, this once."""

    key: str
    record: KeyRecord


def key_record(row: Any) -> KeyRecord:
    """Out of a row with `KEY_COLUMNS` and the tenant's name."""
    reach = KeyReach(read_principals(row.principals), delegates=bool(row.delegates))
    return KeyRecord(**{**row._mapping, **reach._asdict()})


def read_principals(text: str | bytes | None) -> tuple[str, ...] | None:
    """As the ledger and a signed header have them; raises msgspec's errors."""
    return None if text is None else _read.decode(text)


def written_principals(principals: tuple[str, ...] | None) -> str | None:
    """As the ledger keeps them."""
    return None if principals is None else msgspec.json.encode(principals).decode()


def check_principals(principals: tuple[str, ...], param: str) -> None:
    """Raises InvalidRequest for what no key and no document can name."""
    if len(principals) > MOST_PRINCIPALS:
        raise InvalidRequest(f"Name at most {MOST_PRINCIPALS} in '{param}'.", param=param)
    for each in principals:
        if not 1 <= len(each) <= LONGEST_PRINCIPAL or not each.isprintable():
            raise InvalidRequest(
                f"Each of '{param}' must be 1 to {LONGEST_PRINCIPAL} printable characters, such "
                "as user:ann or group:sales.",
                param=param,
            )

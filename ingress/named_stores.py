"""The vector stores that a message names: looked up before it is let in."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Protocol

import msgspec

from ingress.patience import Patience
from shared.clock import Clock
from shared.decoding import decode_json
from shared.errors import InvalidRequest, NotFound
from shared.messages.body import Body
from shared.search.attribute_filter import AttributeFilter
from shared.search.checking_labels import check_attribute_filter

_SHOWN: Final = 64
_filters: Final = msgspec.json.Decoder(AttributeFilter)


class NamedStore(Protocol):
    """As much of a vector store as is asked after here."""

    @property
    def expires_at(self) -> datetime | None: ...


class StoreCatalogue(Protocol):
    """Finds the vector stores of tenants; raises NotFound."""

    async def find(self, tenant_id: str, collection_id: str, /) -> NamedStore: ...


class NamedStores:
    """Asks after each store that a message has searched. Another tenant's do not exist.

    One that is deleted before the message has its turn is searched no more, as if it were empty.
    """

    def __init__(self, catalogue: StoreCatalogue | None, patience: Patience, clock: Clock) -> None:
        """Without a catalogue there are no stores."""
        self._catalogue = catalogue
        self._patience = patience
        self._clock = clock

    async def told_bytes(self, body: Body, *, tenant_id: str) -> int:
        """What the passages of a search would come to, estimated: none are found yet.

        Raises NotFound naming the place of a store that is not there, InvalidRequest for filters
        that are none, LedgerUnavailable.
        """
        search = body.file_search
        if search is None:
            return 0
        if search.filters is not None:
            _check_filters(search.filters, f"tools[{search.place}].filters")
        for nth, store_id in enumerate(search.vector_store_ids):
            place = f"tools[{search.place}].vector_store_ids[{nth}]"
            await self._check(store_id, place, tenant_id)
        return search.told_bytes if body.searches else 0

    async def _check(self, store_id: str, place: str, tenant_id: str) -> None:
        if self._catalogue is None:
            raise _missing(store_id, place, "is not here")
        try:
            found = await self._patience.wait(self._catalogue.find(tenant_id, store_id))
        except NotFound:
            raise _missing(store_id, place, "is not here, or not any more") from None
        if found.expires_at is not None and found.expires_at <= self._clock.now():
            raise _missing(store_id, place, "has expired")


def _check_filters(filters: dict[str, Any], place: str) -> None:
    try:
        asked: AttributeFilter = decode_json(_filters, msgspec.json.encode(filters))
    except InvalidRequest as error:
        where = f"{place}.{error.param}" if error.param else place
        raise InvalidRequest(f"'{place}' is no filter: {error.message}", param=where) from None
    check_attribute_filter(place, asked)


def _missing(store_id: str, place: str, fault: str) -> NotFound:
    return NotFound(
        f"'{place}' names the vector store '{store_id[:_SHOWN]}', which {fault}. Name another, or "
        "remove it.",
        param=place,
    )

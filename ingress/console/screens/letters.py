"""Dead letters: why they will not be answered, and what to do about several at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.console.acts import read_act
from ingress.console.listing import Listings, NamedRows, read_query
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from ingress.console.recorded import RecordedActs
from shared.acts.replaying import letter_replays
from shared.clock import Clock
from shared.errors import ForebayError
from shared.messages.tenant import KeyScope
from shared.persistence.dead_letters import DeadLetterRepository, LetterRow
from shared.persistence.engine import Database
from shared.persistence.tables import DeadLetterState
from shared.sessions.console_user import ConsoleUser
from shared.settings import Settings
from shared.views.letter_pages import LetterCounts, LetterFilter, LetterPages

MOST_AT_ONCE: Final = 100


class LetterSearch(LetterFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tenant` is a name or an id."""

    tenant: str | None = None


class ChosenLetters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`key` goes with those that came over `intake` and were never accepted: keys are not kept."""

    ids: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]
    key: str | None = None


class WholeLetter(LetterRow, frozen=True, kw_only=True):
    """One with what it held: bytes that are no text as their representation."""

    headers: str | None
    body: str | None


class LettersDone(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each letter that was chosen, by id: what it is replayed as, or why it stays
    as it was."""

    done: dict[str, str | None]
    failed: dict[str, str]


class LettersScreen:
    """Raises LedgerUnavailable, NotFound, and BrokerUnavailable for a replay."""

    def __init__(
        self, database: Database, settings: Settings, clock: Clock, acts: RecordedActs
    ) -> None:
        self._database = database
        self._settings = settings
        self._pages = LetterPages(database)
        self._letters = DeadLetterRepository(database, clock)
        self._listings = Listings(database)
        self._acts = acts

    def operations(self) -> Sequence[ConsoleOperation]:
        root = "/dead_letters"
        return (
            ConsoleOperation("GET", root, self._page, KeyScope.READER),
            ConsoleOperation("GET", f"{root}/{{letter_id}}", self._one, KeyScope.READER),
            ConsoleOperation("POST", f"{root}/replay", self._replay, KeyScope.OPERATOR),
            ConsoleOperation("POST", f"{root}/discard", self._discard, KeyScope.OPERATOR),
        )

    def topics(self) -> Sequence[Topic]:
        return (Topic("dead_letters", self._counts, seconds=5.0),)

    async def _counts(self) -> LetterCounts:
        return await self._pages.counts()

    async def _page(self, exchange: Exchange, _user: ConsoleUser) -> NamedRows:
        search, asked = read_query(exchange, LetterSearch)
        tenant_id = await self._listings.tenant_id(search.tenant or search.tenant_id)
        wanted = LetterFilter(
            reason=search.reason, tenant_id=tenant_id, is_everything=search.is_everything
        )
        page = await self._pages.page(wanted, before=asked.place, limit=asked.limit)
        return await self._listings.of(page.rows, page.next)

    async def _one(self, exchange: Exchange, _user: ConsoleUser) -> NamedRows:
        letter = await self._letters.show(exchange.parameters["letter_id"])
        body = None if letter.body is None else letter.body.decode(errors="backslashreplace")
        fields = {name: getattr(letter, name) for name in WholeLetter.__struct_fields__}
        return await self._listings.one(WholeLetter(**fields | {"body": body}))

    async def _replay(self, exchange: Exchange, user: ConsoleUser) -> LettersDone:
        chosen = await read_act(exchange, _chosen)
        async with letter_replays(self._database, self._settings) as replays:

            async def replay(letter_id: str) -> str:
                async with self._acts.doing(user, "dead.replay", letter_id) as came_of_it:
                    replayed = await replays.replay(letter_id, key=chosen.key)
                    came_of_it["replayed_as"] = replayed.replayed_as
                return replayed.replayed_as

            return await _each(chosen, replay)

    async def _discard(self, exchange: Exchange, user: ConsoleUser) -> LettersDone:
        async def discard(letter_id: str) -> None:
            async with self._acts.doing(user, "dead.discard", letter_id):
                await self._letters.close_letter(letter_id, state=DeadLetterState.DISCARDED)

        return await _each(await read_act(exchange, _chosen), discard)


async def _each(chosen: ChosenLetters, act: Callable[[str], Awaitable[str | None]]) -> LettersDone:
    """One after the other; one that cannot be done keeps no other from it."""
    done: dict[str, str | None] = {}
    failed: dict[str, str] = {}
    for letter_id in chosen.ids:
        try:
            done[letter_id] = await act(letter_id)
        except ForebayError as error:
            failed[letter_id] = error.message
    return LettersDone(done=done, failed=failed)


_chosen: Final = msgspec.json.Decoder(ChosenLetters)

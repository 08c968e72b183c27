"""The border of the console: who has no session, or too small a role, comes no further."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import Final

import msgspec

from ingress.api.http.border import Route
from ingress.api.http.error_answer import Header
from ingress.api.http.exchange import Endpoint, Exchange
from ingress.console.operation import API, ConsoleOperation
from ingress.console.same_page import acts, check_origin
from shared.errors import Forbidden, InvalidRequest, Unauthenticated
from shared.sessions.console_sessions import ConsoleSessions
from shared.sessions.console_user import ConsoleUser
from shared.storable_text import is_storable, storable

COOKIE: Final = "forebay_console"
CSRF: Final = b"x-forebay-csrf"
NO_STORE: Final[tuple[Header, ...]] = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
_TOKEN: Final = re.compile(rf"(?:^|;\s*){COOKIE}=([A-Za-z0-9_-]{{1,128}})(?:;|$)")


class Guard:
    """Every operation of the console is asked for through it, and none in another way."""

    def __init__(self, sessions: ConsoleSessions, public_url: str | None) -> None:
        self._sessions = sessions
        self._public_url = public_url

    def routes(self, operations: Iterable[ConsoleOperation]) -> list[Route]:
        """The operations, behind this border."""
        return [Route(one.method, API + one.path, self._guarded(one)) for one in operations]

    async def user(self, exchange: Exchange) -> ConsoleUser:
        """Who asks; raises Unauthenticated without a session, LedgerUnavailable."""
        token = session_token(exchange)
        user = None if token is None else await self._sessions.user(token)
        if user is None:
            raise Unauthenticated("You are not logged in, or no longer. Log in with a key.")
        return user

    def _guarded(self, operation: ConsoleOperation) -> Endpoint:
        async def endpoint(exchange: Exchange) -> None:
            user = await self.user(exchange)
            if not user.role.covers(operation.role):
                raise Forbidden(
                    f"This takes the role '{operation.role}', and you are logged in as "
                    f"'{user.role}'. Log in with a key of that scope."
                )
            _check_words(exchange)
            if acts(exchange):
                check_origin(exchange, self._public_url)
                _check_token(exchange)
            answer = await operation.work(exchange, user)
            if not exchange.status:
                await _answer(exchange, answer)

        return endpoint


def session_token(exchange: Exchange) -> str | None:
    """The one that the browser keeps."""
    found = _TOKEN.search(exchange.header(b"cookie") or "")
    return None if found is None else found[1]


def csrf_token(token: str) -> str:
    """What a page of this session sends with every act, and no other page can know."""
    return sha256(b"csrf:" + token.encode()).hexdigest()


def _check_words(exchange: Exchange) -> None:
    """Whatever an operation asks the ledger with them, it takes no NUL."""
    for name, value in {**exchange.parameters, **exchange.query()}.items():
        if not (is_storable(name) and is_storable(value)):
            told = storable(name)[:64]
            raise InvalidRequest(f"'{told}' holds a NUL character. Remove it.", param=told)


def _check_token(exchange: Exchange) -> None:
    sent = exchange.headers.get(CSRF, b"")
    if not compare_digest(sent, csrf_token(session_token(exchange) or "").encode()):
        raise Forbidden("The header 'X-Forebay-Csrf' is not that of this session. Load the page.")


async def _answer(exchange: Exchange, answer: object) -> None:
    if answer is None:
        await exchange.answer_nothing(204, NO_STORE)
    else:
        await exchange.answer(200, msgspec.json.encode(answer), NO_STORE)

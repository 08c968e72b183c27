"""Logging in with a key, and out."""

from __future__ import annotations

from typing import Final

import msgspec

from ingress.api.http.border import Route
from ingress.api.http.error_answer import Header
from ingress.api.http.exchange import Exchange
from ingress.console.acts import read_act
from ingress.console.guard import COOKIE, NO_STORE, csrf_token, session_token
from ingress.console.operation import API, ConsoleOperation
from ingress.console.same_page import check_origin, is_secure
from shared.accepting.entrance import key_of, unknown_key
from shared.messages.tenant import KeyScope
from shared.sessions.console_sessions import ConsoleSessions
from shared.sessions.console_user import ConsoleUser

_PATH: Final = "/session"


class LoginRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key to log in with."""

    key: str


class LoggedIn(msgspec.Struct, frozen=True):
    """Who is logged in; `csrf` goes with every act as the header X-Forebay-Csrf."""

    user: ConsoleUser
    csrf: str


_read: Final = msgspec.json.Decoder(LoginRequest)


class Login:
    """A key becomes a cookie that no script can read and no other site can send."""

    def __init__(self, sessions: ConsoleSessions, public_url: str | None) -> None:
        self._sessions = sessions
        self._public_url = public_url

    def routes(self) -> list[Route]:
        """Logging in, and asking who is, which are for everybody."""
        return [
            Route("POST", API + _PATH, self._begin),
            Route("GET", API + _PATH, self._who),
        ]

    def operations(self) -> list[ConsoleOperation]:
        """What else there is of it, for who is logged in."""
        return [ConsoleOperation("DELETE", _PATH, self._end, KeyScope.READER)]

    async def _begin(self, exchange: Exchange) -> None:
        check_origin(exchange, self._public_url)
        asked = await read_act(exchange, _read)
        session = await self._sessions.begin(key_of(None, asked.key))
        if session is None:
            raise unknown_key()
        seconds = self._sessions.longest_seconds
        headers = (*NO_STORE, self._cookie(exchange, session.token, seconds))
        logged_in = LoggedIn(session.user, csrf_token(session.token))
        await exchange.answer(200, msgspec.json.encode(logged_in), headers)

    async def _who(self, exchange: Exchange) -> None:
        # That nobody is logged in is an answer: a browser would report a refusal as a fault.
        token = session_token(exchange)
        user = None if token is None else await self._sessions.user(token)
        if token is None or user is None:
            await exchange.answer_nothing(204, NO_STORE)
        else:
            logged_in = LoggedIn(user, csrf_token(token))
            await exchange.answer(200, msgspec.json.encode(logged_in), NO_STORE)

    async def _end(self, exchange: Exchange, _user: ConsoleUser) -> None:
        await self._sessions.end(session_token(exchange) or "")
        await exchange.answer_nothing(204, (*NO_STORE, self._cookie(exchange, "", 0)))

    def _cookie(self, exchange: Exchange, token: str, seconds: float) -> Header:
        # Without a path it is that of the API, whatever a proxy has put before it.
        secure = "; Secure" if is_secure(exchange, self._public_url) else ""
        text = f"{COOKIE}={token}; Max-Age={seconds:.0f}; HttpOnly; SameSite=Strict{secure}"
        return (b"set-cookie", text.encode())

"""One operation of the console, and the role that it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from ingress.api.http.exchange import Exchange
from shared.messages.tenant import KeyScope
from shared.sessions.console_user import ConsoleUser

API: Final = "/console/api"
Work = Callable[[Exchange, ConsoleUser], Awaitable[object]]
"""What it gives is answered as JSON; None is 204, unless it has answered by itself."""


class ConsoleOperation(msgspec.Struct, frozen=True):
    """A row of the console's table: who may do what, under which path behind `API`.

    What has another method than GET acts, and is refused to requests that another page sent.
    """

    method: str
    path: str
    work: Work
    role: KeyScope

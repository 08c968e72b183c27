"""What a page can be told of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec


class Topic(msgspec.Struct, frozen=True):
    """Something that changes: pages are told what `look` gives, in JSON, when it differs.

    It is asked every `seconds`, once for all pages of a door, and only while there are any.
    """

    name: str
    look: Callable[[], Awaitable[object]]
    seconds: float = 2.0

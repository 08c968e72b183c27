"""Cache-Control of a message: whether a stored answer will do, and whether its own may be stored.

Over HTTP it is the header; on the queue, and wherever a body is all there is, the field
`cache_control` with the same words.
"""

from __future__ import annotations

from typing import Final

import msgspec

from shared.errors import InvalidRequest

HEADER: Final = "Cache-Control"
LONGEST_CACHE_CONTROL: Final = 256
_MOST_DIGITS: Final = 9


class CacheControl(msgspec.Struct, frozen=True):
    """RFC 9111's words for a request, as far as they mean something here."""

    no_cache: bool = False
    """Not answered from the store; the new answer is stored."""
    no_store: bool = False
    """Neither answered from the store nor stored."""
    max_age_seconds: int | None = None
    """Stored answers older than this will not do."""


ANYTHING: Final = CacheControl()


def read_cache_control(text: str | None, *, param: str = "cache_control") -> CacheControl:
    """What the words mean; those we do not know are passed over, as the RFC asks.

    Raises InvalidRequest naming `param`.
    """
    if not text:
        return ANYTHING
    if len(text) > LONGEST_CACHE_CONTROL:
        raise InvalidRequest(
            f"'{param}' is longer than {LONGEST_CACHE_CONTROL} characters. Shorten it.", param=param
        )
    directives = dict(_directive(word) for word in text.split(","))
    if "only-if-cached" in directives:
        raise InvalidRequest(
            f"'{param}: only-if-cached' is not supported: an accepted message is answered. "
            "Remove it.",
            param=param,
        )
    return CacheControl(
        no_cache="no-cache" in directives,
        no_store="no-store" in directives,
        max_age_seconds=_seconds(directives, param) if "max-age" in directives else None,
    )


def _directive(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _seconds(directives: dict[str, str], param: str) -> int:
    value = directives["max-age"]
    if not (value.isascii() and value.isdigit()) or len(value) > _MOST_DIGITS:
        raise InvalidRequest(
            f"'{param}' has max-age={value[:32]}. Give whole seconds, such as max-age=60.",
            param=param,
        )
    return int(value)

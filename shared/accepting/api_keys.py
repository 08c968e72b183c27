"""An API key as it comes with a request, and what keeps one from being let in."""

from __future__ import annotations

from typing import Final

from shared.errors import Forbidden, Unauthenticated
from shared.persistence.key_records import KEY_PREFIX

_LONGEST_KEY: Final = 256
_SCHEME: Final = "bearer "


def key_of(authorization: str | None, api_key: str | None) -> str:
    """The key in clear, out of the two headers that may hold it; raises Unauthenticated."""
    if authorization:
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated("Unknown authorization scheme. Use 'Authorization: Bearer fb_…'.")
        key = authorization[len(_SCHEME) :].strip()
    elif api_key:
        key = api_key.strip()
    else:
        raise Unauthenticated("No API key. Send it as 'Authorization: Bearer fb_…'.")
    if not key.startswith(KEY_PREFIX) or len(key) > _LONGEST_KEY or not key.isascii():
        raise unknown_key()
    return key


def unknown_key() -> Unauthenticated:
    """The error for a key that opens nothing."""
    return Unauthenticated("The API key is unknown, expired or revoked. Use a valid one.")


def may_not_write() -> Forbidden:
    """The error for a key that sees less than everything of its tenant's index."""
    return Forbidden(
        "This key reads the documents of some principals, and no more. Use a key made without "
        "--principal and --delegates."
    )

"""Principals that come with a request: signed by who holds its key, for a while.

Somebody who lets users ask through a gateway that adds the key signs who each of them is. Users
may carry what was signed and cannot change it, for they do not know the key.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec

from ingress.authentication import Caller
from shared.errors import Forbidden
from shared.persistence.key_records import read_principals, written_principals

PRINCIPALS: Final = b"x-forebay-principals"
LONGEST_LIFE: Final = timedelta(days=1)
_PURPOSE: Final = b"forebay-principals:v1\n"
_FIX: Final = (
    "Send X-Forebay-Principals as UNTIL.NAMES.SIGNATURE, signed with the key of the request: see "
    "docs/vector-stores.md."
)


def with_signed(caller: Caller, signed: bytes | None, key: str, now: datetime) -> Caller:
    """The caller with what the header names; without one, of a key that delegates, nobody.

    Of a key with principals of its own, only those among them count. Raises Forbidden for a key
    that may not delegate, and for what was not signed with it or not for now.
    """
    if not caller.delegates:
        raise Forbidden(
            "This key may not name principals. Leave X-Forebay-Principals out, or use a key made "
            "with 'forebay keys create --delegates'."
        )
    named = () if signed is None else _named(signed, key, now)
    own = caller.principals
    return caller._replace(
        principals=named if own is None else tuple(each for each in named if each in own)
    )


def sign_principals(key: str, principals: tuple[str, ...], until: datetime) -> str:
    """The header's value, good until then."""
    names = urlsafe_b64encode((written_principals(principals) or "").encode()).rstrip(b"=")
    told = b"%d.%b" % (int(until.timestamp()), names)
    return (told + b"." + _signature(key, told)).decode()


def _named(signed: bytes, key: str, now: datetime) -> tuple[str, ...]:
    told, _, signature = signed.strip().rpartition(b".")
    until, _, names = told.partition(b".")
    if not hmac.compare_digest(_signature(key, told), signature):
        raise Forbidden(f"The signature of the principals is not this key's. {_FIX}")
    if not until.isdigit() or len(until) > 12:
        raise Forbidden(f"The principals do not say until when they are good. {_FIX}")
    seconds_left = int(until) - now.timestamp()
    if seconds_left <= 0:
        raise Forbidden("The principals were signed for a time that is over. Sign them anew.")
    if seconds_left > LONGEST_LIFE.total_seconds():
        raise Forbidden("The principals are signed for more than a day. Sign them for less.")
    try:
        return read_principals(urlsafe_b64decode(names + b"=" * (-len(names) % 4))) or ()
    except (ValueError, msgspec.MsgspecError):
        raise Forbidden(f"The principals are no list of names in JSON. {_FIX}") from None


def _signature(key: str, told: bytes) -> bytes:
    return hmac.new(key.encode(), _PURPOSE + told, sha256).hexdigest().encode()

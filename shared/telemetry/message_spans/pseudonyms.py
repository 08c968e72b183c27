"""Names for users that only who has the key can lead back to them."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

from shared.settings.secret import Secret

_PURPOSE: Final = b"forebay pseudonym v1\0"
_HEX_DIGITS: Final = 32


class Pseudonyms:
    """Keyed digests: the same text of the same tenant under the same key has the same name, in
    every process. Without a key nobody has one, for a plain digest of an address is soon guessed.
    """

    def __init__(self, key: Secret | None) -> None:
        self._key = None if key is None else key.reveal().encode()

    def of(self, text: str, *, tenant_id: str) -> str | None:
        """32 hexadecimal digits; None without a key."""
        if self._key is None:
            return None
        told = _PURPOSE + tenant_id.encode() + b"\0" + text.encode(errors="surrogatepass")
        return hmac.new(self._key, told, sha256).hexdigest()[:_HEX_DIGITS]

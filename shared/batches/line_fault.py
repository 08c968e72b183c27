"""What is wrong with a line, as its row keeps it: the message, and the field where one is named."""

from __future__ import annotations

from typing import Final

import msgspec


class KeptFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message that names a field of the line."""

    message: str
    param: str | None = None

    def kept(self) -> str:
        """The text of its column: the message itself where no field is named."""
        return self.message if self.param is None else msgspec.json.encode(self).decode()


_decoder: Final = msgspec.json.Decoder(KeptFault)


def kept_fault(text: str | None) -> KeptFault:
    """What the column tells; of whatever is no such text, that text."""
    try:
        return _decoder.decode(text or "")
    except (msgspec.MsgspecError, UnicodeError):
        return KeptFault(text or "")

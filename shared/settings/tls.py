"""Who is trusted at the other end of an encrypted connection, and how we show who we are."""

from __future__ import annotations

import msgspec


class TlsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Files for `amqps://` and `rediss://`. Certificates and host names are always verified."""

    ca_file: str | None = None
    """Certificates (PEM) of the authorities to trust; without it the machine's own."""
    certificate_file: str | None = None
    """The certificate (PEM) that we show, where the server asks for one."""
    key_file: str | None = None
    """Its private key, where it does not stand in `certificate_file`."""

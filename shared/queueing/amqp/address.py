"""Where a RabbitMQ is and who we are to it."""

from __future__ import annotations

import ssl
from urllib.parse import unquote, urlsplit

import msgspec


class BrokerAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An `amqp://` or `amqps://` address taken apart; `repr` keeps the password to itself."""

    host: str
    port: int
    user: str
    password: str
    virtual_host: str
    is_encrypted: bool

    @classmethod
    def parse(cls, url: str) -> BrokerAddress:
        """Reads an address the way kombu does: `//` or no path is the virtual host `/`."""
        parts = urlsplit(url)
        encrypted = parts.scheme == "amqps"
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or (5671 if encrypted else 5672),
            user=unquote(parts.username or "guest"),
            password=unquote(parts.password or "guest"),
            virtual_host=unquote(parts.path[1:]) or "/",
            is_encrypted=encrypted,
        )

    @property
    def tls(self) -> ssl.SSLContext | None:
        """Certificates are checked against the machine's own authorities."""
        return ssl.create_default_context() if self.is_encrypted else None

    @property
    def credentials(self) -> str:
        """The response of SASL PLAIN."""
        return f"\0{self.user}\0{self.password}"

    def __repr__(self) -> str:
        return f"BrokerAddress({self.host}:{self.port}{self.virtual_host!r})"

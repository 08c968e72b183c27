"""Where the broker is and who we are to it: the one reading of `broker.url` for all its users."""

from __future__ import annotations

import ssl
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec
from kombu import Connection

from shared.errors import SettingsError
from shared.redis.encryption import redis_encryption
from shared.settings.server_faults import ENCRYPTED_SCHEMES, TlsSettings
from shared.settings.servers import BrokerSettings

_PORTS: Final = {"amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379}


class BrokerAddress(msgspec.Struct, frozen=True, kw_only=True):
    """`broker.url` and `broker.tls` taken apart; `repr` keeps the password to itself.

    Whoever connects by it verifies the broker's certificate and host name on `amqps://` and
    `rediss://`, and sends nothing in clear there.
    """

    scheme: str
    host: str
    port: int
    user: str
    password: str
    virtual_host: str
    """Of RabbitMQ; on Redis the number of a database."""
    tls_files: TlsSettings

    @classmethod
    def of(cls, broker: BrokerSettings) -> BrokerAddress:
        """Reads it; raises SettingsError with a sentence for each fault.

        On RabbitMQ `//` or no path is the virtual host `/`; on Redis no path is database 0.
        """
        if faults := list(broker.faults()):
            raise SettingsError(faults)
        parts = urlsplit(broker.url)
        stranger = "" if broker.is_redis else "guest"
        return cls(
            scheme=parts.scheme,
            host=unquote(parts.hostname or "127.0.0.1"),
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username or stranger),
            password=unquote(parts.password or stranger),
            virtual_host=unquote(parts.path[1:]) or ("0" if broker.is_redis else "/"),
            tls_files=broker.tls,
        )

    @classmethod
    def of_connection(cls, connection: Connection) -> BrokerAddress:
        """Of the broker that a kombu connection goes to now; its certificate is verified."""
        found = connection.info()
        ssl_options = found.get("ssl")
        given: dict[str, Any] = ssl_options if isinstance(ssl_options, dict) else {}
        kind = "redis" if connection.transport.driver_type == "redis" else "amqp"
        return cls(
            scheme=f"{kind}s" if ssl_options else kind,
            host=found.get("hostname") or "127.0.0.1",
            port=found.get("port") or _PORTS[kind],
            user=found.get("userid") or "",
            password=found.get("password") or "",
            virtual_host=_virtual_host(kind, str(found.get("virtual_host") or "")),
            tls_files=TlsSettings(
                ca_file=_file(given, "ca_certs"),
                certificate_file=_file(given, "certfile"),
                key_file=_file(given, "keyfile"),
            ),
        )

    @property
    def is_encrypted(self) -> bool:
        return self.scheme in ENCRYPTED_SCHEMES

    @property
    def tls(self) -> ssl.SSLContext | None:
        """For our own link to RabbitMQ. Raises OSError for files that do not fit together."""
        if not self.is_encrypted:
            return None
        files = self.tls_files
        context = ssl.create_default_context(cafile=files.ca_file)
        if files.certificate_file:
            context.load_cert_chain(files.certificate_file, files.key_file)
        return context

    @property
    def kombu_ssl(self) -> dict[str, Any] | bool:
        """The same for kombu and Celery, whose own default for Redis is to verify nothing."""
        if not self.is_encrypted:
            return False
        if self.scheme == "rediss":
            return redis_encryption(self.scheme, self.tls_files)
        return {
            "server_hostname": self.host,
            "cert_reqs": ssl.CERT_REQUIRED,
            "ca_certs": self.tls_files.ca_file,
            "certfile": self.tls_files.certificate_file,
            "keyfile": self.tls_files.key_file,
        }

    @property
    def credentials(self) -> str:
        """The response of SASL PLAIN."""
        return f"\0{self.user}\0{self.password}"

    def __repr__(self) -> str:
        return f"BrokerAddress({self.scheme}://{self.host}:{self.port} {self.virtual_host!r})"


def _virtual_host(kind: str, found: str) -> str:
    return found.strip("/") or "0" if kind == "redis" else found or "/"


def _file(given: dict[str, Any], name: str) -> str | None:
    """kombu names files as Python's ssl does, redis-py with `ssl_` before."""
    return given.get(name) or given.get(f"ssl_{name}")

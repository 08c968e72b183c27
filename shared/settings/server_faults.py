"""What is wrong with the address of a server, and with what is trusted there, before anything
connects to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Set
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

import msgspec

from shared.settings.secret import ServerUrl

BROKER_SCHEMES: Final = frozenset({"amqp", "amqps", "redis", "rediss"})
REDIS_SCHEMES: Final = frozenset({"redis", "rediss"})
LEDGER_SCHEMES: Final = frozenset({"postgresql+psycopg", "sqlite+aiosqlite"})
ENCRYPTED_SCHEMES: Final = frozenset({"amqps", "rediss"})

# What other programs read from a query, and the setting that says it here.
_SETTING_OF_PARAMETER: Final[Mapping[str, str]] = {
    "ca_certs": "tls.ca_file",
    "cacertfile": "tls.ca_file",
    "ssl_ca_certs": "tls.ca_file",
    "certfile": "tls.certificate_file",
    "ssl_certfile": "tls.certificate_file",
    "keyfile": "tls.key_file",
    "ssl_keyfile": "tls.key_file",
    "heartbeat": "heartbeat_seconds",
    "visibility_timeout": "visibility_timeout_seconds",
    "socket_timeout": "timeout_seconds",
    "socket_connect_timeout": "timeout_seconds",
}
_ESCAPES: Final = "a / in its user or password as %2F, a ? as %3F and a # as %23"
_VERIFYING: Final = frozenset({"cert_reqs", "ssl_cert_reqs", "ssl_check_hostname", "verify"})


class TlsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Files for `amqps://` and `rediss://`. Certificates and host names are always verified."""

    ca_file: str | None = None
    """Certificates (PEM) of the authorities to trust; without it the machine's own."""
    certificate_file: str | None = None
    """The certificate (PEM) that we show, where the server asks for one."""
    key_file: str | None = None
    """Its private key, where it does not stand in `certificate_file`."""


def unknown_scheme(key: str, url: ServerUrl, schemes: Set[str]) -> Iterator[str]:
    """A sentence when the address names a kind of server that nobody here speaks to."""
    if url.scheme not in schemes:
        known = ", ".join(f"{scheme}://" for scheme in sorted(schemes))
        yield f"{key} = '{url.redacted}': unknown kind of server. Start it with one of {known}."


def unsound_address(section: str, url: ServerUrl, tls: TlsSettings) -> Iterator[str]:
    """One sentence for each fault of a broker's or Redis' address and its files, with the fix."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # What stands in the place of a port may be a piece of a password, so it is not shown.
        yield (
            f"{section}.url: its host and port cannot be told apart. Write it as "
            f"scheme://user:password@host:port/, and {_ESCAPES}."
        )
        return
    if url.scheme in REDIS_SCHEMES and not parts.path.strip("/").isdecimal() and parts.path[1:]:
        yield f"{section}.url: '{parts.path}' names no database. End it with a number, such as /0."
    yield from _queries(section, parts)
    yield from _files(section, url, tls)


def unsound_http_address(key: str, url: ServerUrl) -> Iterator[str]:
    """A sentence when nobody could be asked there, or when its login would go with each request."""
    try:
        parts = urlsplit(url)
        known = parts.hostname is not None and parts.port != 0
    except ValueError:
        parts, known = urlsplit(""), False
    if not known:
        yield f"{key}: its host and port cannot be told apart. Write it as http://host:port."
    elif parts.username is not None or parts.password is not None:
        yield f"{key} has a login in it. Take it out, and send a key with api_key_env."
    elif parts.query or parts.fragment:
        yield f"{key}: what follows its ? or # is not read. Take it out."


def _queries(section: str, parts: SplitResult) -> Iterator[str]:
    if "@" in parts.query or "@" in parts.fragment:
        yield f"{section}.url: write {_ESCAPES}."
        return
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        yield f"{section}.url: its parameter '{name}' is not read. {_instead(section, name)}"
    if parts.fragment:
        yield f"{section}.url: what follows its # is not read. Take it out."


def _instead(section: str, name: str) -> str:
    if name in _VERIFYING:
        return "Certificates are always verified: take it out."
    if setting := _SETTING_OF_PARAMETER.get(name):
        return f"Set {section}.{setting}, and take it out of the URL."
    return "Take it out."


def _files(section: str, url: ServerUrl, tls: TlsSettings) -> Iterator[str]:
    for name in tls.__struct_fields__:
        file: str | None = getattr(tls, name)
        if file is None:
            continue
        key = f"{section}.tls.{name}"
        if url.scheme not in ENCRYPTED_SCHEMES:
            encrypted = "rediss://" if url.scheme == "redis" else "amqps://"
            yield (
                f"{key} = '{file}': {section}.url is not encrypted. "
                f"Begin it with {encrypted}, or take the file out."
            )
        elif not os.access(file, os.R_OK):
            yield f"{key} = '{file}': cannot be read. Mend the path, or the file's permissions."
    if tls.key_file and not tls.certificate_file:
        yield f"{section}.tls.key_file is set without {section}.tls.certificate_file. Set both."

"""Where a webhook may go: what a tenant names must not lead into networks of ours."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from shared.errors import ForebayError, InvalidRequest
from shared.settings.webhooks import WebhookSettings

_LONGEST_URL: Final = 2_048
_UNICAST: Final = IPv6Network("2000::/3")
"""All that is given to anybody on the IPv6 internet."""
_TUNNELS: Final = (IPv6Network("2001::/32"), IPv6Network("2002::/16"))
"""Teredo and 6to4: what they lead to is an IPv4 address inside."""
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


class ForbiddenAddress(ForebayError):
    """The name leads where webhooks must not go: allow that network, or name another server."""

    code = "forbidden_address"


class AddressGuard:
    """Whether an address may be connected to: of every name, each address it resolves to."""

    def __init__(self, settings: WebhookSettings, *, section: str = "webhooks") -> None:
        """`section` of the settings is named where they could allow what is refused."""
        self._section = section
        self._allows_http = settings.allow_http
        self._networks = [ip_network(each) for each in settings.allowed_networks]

    def check_url(self, url: str) -> None:
        """Raises InvalidRequest for one that no webhook can be sent to.

        A name is not resolved: what counts is where it leads when something is sent.
        """
        fault = next(self._faults(url), None)
        if fault is not None:
            raise InvalidRequest(f"'{url[:200]}' {fault}", param="url")

    def check(self, host: str, addresses: list[str]) -> None:
        """Raises ForbiddenAddress unless each of these may be connected to."""
        for each in addresses:
            if not self.permits(each):
                raise ForbiddenAddress(
                    f"{host} is {each}, which is no public address. An operator can allow it: "
                    f"{self._section}.allowed_networks."
                )

    def permits(self, address: str) -> bool:
        """Whether one may be connected to."""
        found = ip_address(address)
        meant = [found, *_inside(found)]
        allowed = any(
            each.version == network.version and each in network
            for each in meant
            for network in self._networks
        )
        return allowed or all(_is_public(each) for each in meant)

    def _faults(self, url: str) -> Iterator[str]:
        schemes = ("https", "http") if self._allows_http else ("https",)
        if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            yield f"is no URL: write at most {_LONGEST_URL} printable ASCII characters."
            return
        parts = _split(url)
        if parts is None or not parts.hostname:
            yield "is no URL: write one such as https://example.com/webhooks."
        elif parts.scheme not in schemes:
            yield f"does not begin with {' or '.join(f'{each}://' for each in schemes)}." + (
                "" if self._allows_http else f" {self._section}.allow_http would allow http://."
            )
        elif parts.username is not None or parts.password is not None:
            yield "holds a name or password: signatures say who sends, so leave them out."
        elif parts.fragment:
            yield "holds a # with what follows it: no server is sent that, so leave it out."
        elif _is_address(parts.hostname) and not self.permits(parts.hostname):
            yield (
                "names no public address. Name another server, or have it allowed: "
                f"{self._section}.allowed_networks."
            )


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _inside(address: Address) -> list[Address]:
    """The IPv4 address that an IPv6 one is another spelling of."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return [address.ipv4_mapped]
        if address in _TRANSLATED:
            return [IPv4Address(int(address) & 0xFFFF_FFFF)]
    return []


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    if address.ipv4_mapped is not None or address in _TRANSLATED:
        return True  # what counts is the address inside
    is_tunnel = any(address in each for each in _TUNNELS)
    return address in _UNICAST and address.is_global and not is_tunnel

"""Webhooks go where the whole internet can go, and elsewhere only where an operator allows it."""

from __future__ import annotations

import pytest

from shared.errors import InvalidRequest
from shared.settings.loading.sound import unsound
from shared.settings.settings import Settings
from shared.settings.webhooks import WebhookSettings
from shared.webhooks.address_guard import AddressGuard, ForbiddenAddress

PUBLIC = ("8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")
OURS = (
    *("127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1"),
    *("169.254.10.10", "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1"),
    *("192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fec0::1", "fd00::1"),
    *("ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "100::1"),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_permitted(address: str) -> None:
    assert AddressGuard(WebhookSettings()).permits(address)


@pytest.mark.parametrize("address", OURS)
def test_an_address_of_ours_is_not_however_it_is_spelt(address: str) -> None:
    assert not AddressGuard(WebhookSettings()).permits(address)


def test_a_network_on_the_list_is_permitted_in_each_spelling_and_no_other_is() -> None:
    guard = AddressGuard(WebhookSettings(allowed_networks=("10.1.0.0/16", "fd00:1::/32")))
    assert guard.permits("10.1.2.3")
    assert guard.permits("::ffff:10.1.2.3")
    assert guard.permits("fd00:1::5")
    assert not guard.permits("10.2.0.1")
    assert not guard.permits("fd00:2::5")


def test_a_name_with_one_address_of_ours_among_others_is_refused() -> None:
    guard = AddressGuard(WebhookSettings())
    guard.check("example.com", ["8.8.8.8", "8.8.4.4"])
    with pytest.raises(ForbiddenAddress, match=r"example\.com is 10\.0\.0\.1"):
        guard.check("example.com", ["8.8.8.8", "10.0.0.1"])


@pytest.mark.parametrize(
    ("url", "fix"),
    [
        ("http://example.com/", "webhooks.allow_http"),
        ("ftp://example.com/", "https://"),
        ("example.com/hook", "https://"),
        ("https://", "write one such as"),
        ("https://[::1", "write one such as"),
        ("https://example.com:99999/", "write one such as"),
        ("https://ann:secret@example.com/", "leave them out"),
        ("https://example.com/#here", "leave it out"),
        ("https://example.com/a b", "printable ASCII"),
        ("https://exämple.com/", "printable ASCII"),
        ("https://example.com/" + "a" * 2_048, "2048"),
        ("https://127.0.0.1/", "webhooks.allowed_networks"),
        ("https://[::ffff:10.0.0.1]/", "webhooks.allowed_networks"),
    ],
)
def test_an_address_that_nothing_can_be_sent_to_is_refused_with_the_fix(url: str, fix: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        AddressGuard(WebhookSettings()).check_url(url)
    assert fix in refused.value.message
    assert refused.value.param == "url"


def test_http_is_taken_where_it_is_allowed() -> None:
    AddressGuard(WebhookSettings(allow_http=True)).check_url("http://example.com/hook?a=b")
    AddressGuard(WebhookSettings()).check_url("https://example.com:8443/hook")


def test_settings_that_cannot_work_say_so() -> None:
    strange = WebhookSettings(allowed_networks=("10.1.0.1/16",), retention_days=1)
    first, second = unsound(Settings(webhooks=strange))
    assert "webhooks.allowed_networks holds '10.1.0.1/16'" in first
    assert "webhooks.retention_days = 1" in second

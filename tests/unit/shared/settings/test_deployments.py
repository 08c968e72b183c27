"""Deployments of a provider: what each has of its own, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shared.errors import SettingsError
from shared.settings import load_settings
from shared.settings.loading.secrets import with_secrets
from shared.settings.secret import Secret

PROVIDER = """
[[providers]]
name = "primary"
kind = "openai_compatible"
model = "large"
requests_per_minute = 60
"""


def chain(*deployments: str, provider: str = PROVIDER) -> str:
    return provider + "".join(f"[[providers.deployments]]\n{each}\n" for each in deployments)


def named(name: str, *more: str) -> str:
    return "\n".join([f'name = "{name}"', f'base_url = "https://{name}.example.com/v1"', *more])


def load(text: str, tmp_path: Path, env: dict[str, str] | None = None) -> msgspec.Struct:
    file = tmp_path / "forebay.toml"
    file.write_text(text)
    return load_settings(env or {}, file=file)


def finding(text: str, tmp_path: Path) -> str:
    with pytest.raises(SettingsError) as refused:
        load(text, tmp_path)
    (only,) = refused.value.findings
    return only


def test_each_is_a_provider_with_what_it_names_itself(tmp_path: Path) -> None:
    text = chain(
        named("eu", 'api_key_env = "EU"', "requests_per_minute = 5"),
        named("us", 'api_key_env="US"'),
    )
    settings = load(text, tmp_path)
    filled = with_secrets(settings, {"EU": "sk-eu", "US": "sk-us"})
    (provider,) = filled.providers
    eu, us = provider.each_deployment

    assert (eu.name, eu.base_url, eu.api_key) == (
        "primary@eu",
        "https://eu.example.com/v1",
        Secret("sk-eu"),
    )
    assert (us.name, us.requests_per_minute, eu.requests_per_minute) == ("primary@us", 60, 5)
    assert us.api_key == Secret("sk-us")
    assert us.named_models == eu.named_models == ("large",)
    assert "sk-" not in repr(provider)


def test_several_keys_of_one_address_and_a_key_of_the_provider(tmp_path: Path) -> None:
    provider = f'{PROVIDER}base_url = "https://api.example.com/v1"\napi_key_env = "MAIN"\n'
    text = chain('name = "one"', 'name = "two"\napi_key_env = "TWO"', provider=provider)
    filled = with_secrets(load(text, tmp_path), {"MAIN": "sk-main", "TWO": "sk-two"})
    one, two = filled.providers[0].each_deployment

    assert one.base_url == two.base_url == "https://api.example.com/v1"
    assert (one.api_key, two.api_key) == (Secret("sk-main"), Secret("sk-two"))


def test_a_provider_without_any_is_its_only_one(tmp_path: Path) -> None:
    (provider,) = load(f'{PROVIDER}base_url = "http://h/v1"\n', tmp_path).providers
    assert provider.each_deployment == (provider,)


def test_a_key_that_cannot_be_had_names_its_deployment(tmp_path: Path) -> None:
    text = chain(named("eu", 'api_key_env = "EU"'))
    with pytest.raises(SettingsError) as refused:
        with_secrets(load(text, tmp_path), {})
    (found,) = refused.value.findings
    assert found.startswith("providers: 'primary@eu' takes its key from $EU, which is not set.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (chain(named("eu"), named("eu")), "has two deployments named 'eu'. Give each its own name"),
        (chain(named("eu", "weight = -1")), "deployments[0].weight"),
        (chain(named("eu", "weight = 0")), "no deployment with a weight above 0"),
        (
            chain(named("eu", 'api_key_env = "EU"'), named("us")),
            "has the deployment 'us' without a key, and others with one",
        ),
        (chain('name = "eu"'), "'primary@eu' needs base_url"),
        (chain(named("e u")), "has a deployment named 'e u'"),
        (chain(named("eu", "wieght = 2")), "wieght"),
        (chain(named("eu", 'api_key = "sk-clear"')), "api_key"),
        (
            chain(named("eu"), provider='[[providers]]\nname = "people"\nkind = "handoff"\n'),
            "has deployments, and a handoff provider asks no server",
        ),
        (
            chain(named("eu"))
            + PROVIDER.replace("primary", "primary@eu")
            + 'base_url = "http://h"',
            "'primary@eu' is a provider and a deployment",
        ),
        (chain(*(named(f"d{number}") for number in range(32))), "has 32 deployments. Keep 31"),
    ],
)
def test_what_cannot_work_is_refused_in_words_that_help(
    text: str, said: str, tmp_path: Path
) -> None:
    found = finding(text, tmp_path)
    assert said in found
    assert "sk-clear" not in found


def test_two_deployments_are_enough_to_hedge(tmp_path: Path) -> None:
    hedging = "[hedging]\nenabled = true\n"
    load(hedging + chain(named("eu"), named("us")), tmp_path)
    assert "or a deployment" in finding(hedging + chain(named("eu")), tmp_path)


def test_chaos_may_name_one_of_them(tmp_path: Path) -> None:
    chaos = "[chaos]\nenabled = true\n[[chaos.injections]]\nkind = 'outcome'\nrate = 1\ntext = ''\n"
    for name in ("primary", "primary@eu"):
        load(f"{chaos}providers = ['{name}']\n" + chain(named("eu"), named("us")), tmp_path)
    stranger = f"{chaos}providers = ['primary@de']\n" + chain(named("eu"))
    assert "Models here: primary, primary@eu" in finding(stranger, tmp_path)

"""Settings that are each valid and together cannot work are found, with the fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import SettingsError
from shared.settings import load_settings


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def findings(**env: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_settings({f"FOREBAY_{name}": value for name, value in env.items()})
    return list(refused.value.findings)


def test_a_fault_of_a_variant_names_it_and_its_key() -> None:
    told = findings(VARIANTS='{"warm": {"share": 2, "modl": "x"}, "cold": 3}')
    share, key, cold = told
    assert share.startswith("variants.warm.share = 2 (from FOREBAY_VARIANTS): Expected")
    assert "variants.warm.modl" in key
    assert "Did you mean variants.warm.model?" in key
    assert cold.startswith("variants.cold = 3")
    (share,) = findings(VARIANTS__WARM__SHARE="much")
    assert share.startswith("variants.warm.share = 'much' (from FOREBAY_VARIANTS__WARM__SHARE)")
    (both,) = findings(VARIANTS='{"warm": {"large_from": 1}}', VARIANTS__WARM__SHARE="0.1")
    assert both.endswith("a variable holds all of it as JSON, too. Keep one.")


def test_variables_set_single_keys_of_a_variant() -> None:
    names = ("SHARE", "0.25"), ("LARGE_FROM", "1"), ("SYSTEM_PREFIX", "Be kind.")
    env = {f"FOREBAY_VARIANTS__WARM__{name}": value for name, value in names}
    warm = load_settings(env).variants["warm"]
    assert (warm.share, warm.large_from, warm.system_prefix) == (0.25, 1.0, "Be kind.")


@pytest.mark.parametrize(
    ("name", "key"),
    [("BROKER__URL", "broker.url"), ("REDIS__URL", "redis.url"), ("LEDGER__URL", "ledger.url")],
)
def test_a_server_of_an_unknown_kind_is_named_with_those_there_are(name: str, key: str) -> None:
    (finding,) = findings(**{name: "mongodb://me:hunter2@host/"})
    assert finding.startswith(f"{key} = ")
    assert "hunter2" not in finding
    assert "://" in finding.partition("Start it with")[2]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host", "unknown kind of server"),
        ("http://", "cannot be told apart"),
        ("http://host:99999", "cannot be told apart"),
        ("http://[::", "unknown kind of server"),
        ("http://me:hunter2@host", "api_key_env"),
        ("http://host/?key=hunter2", "is not read"),
    ],
)
@pytest.mark.parametrize("server", ["qdrant", "meilisearch"])
def test_a_server_of_the_index_that_nobody_could_ask_is_said(
    server: str, url: str, said: str
) -> None:
    (finding,) = findings(**{f"INDEX__{server.upper()}__URL": url})
    assert finding.startswith(f"index.{server}.url")
    assert said in finding
    assert "hunter2" not in finding


def test_the_soft_limit_is_below_the_hard_one() -> None:
    (finding,) = findings(WORKER__SOFT_TIME_LIMIT_SECONDS="700")
    assert "soft_time_limit_seconds must be below" in finding


def test_redis_gives_no_running_message_to_a_second_worker() -> None:
    (finding,) = findings(
        BROKER__URL="redis://127.0.0.1/0", BROKER__VISIBILITY_TIMEOUT_SECONDS="1000"
    )
    assert "1320 or more" in finding


@pytest.mark.parametrize(
    ("links", "said"),
    [
        ([{"kind": "handoff"}, {"kind": "handoff"}], "two are named 'a'"),
        ([{"kind": "openai_compatible", "model": "m"}], "needs base_url"),
        ([{"kind": "anthropic", "model": "m", "base_url": "ftp://x"}], "not 'ftp://x'"),
        ([{"kind": "openai_compatible", "base_url": "http://x"}], "needs model"),
        ([{"kind": "rules"}], "needs rules_file"),
        ([{"kind": "handoff", "small_model": "m"}], "has no choice of models"),
    ],
)
def test_a_chain_that_cannot_work_is_said(links: list[dict[str, Any]], said: str) -> None:
    (finding,) = findings(PROVIDERS=json.dumps([{"name": "a", **link} for link in links]))
    assert said in finding
    assert "'a'" in finding


MODELS = [
    {"name": name, "kind": "openai_compatible", "base_url": "http://h/v1", "model": "m"}
    for name in ("a", "b")
]


def test_hedging_needs_a_second_model() -> None:
    chain = [MODELS[0], {"name": "people", "kind": "handoff"}]
    (finding,) = findings(HEDGING__ENABLED="true", PROVIDERS=json.dumps(chain))
    assert finding.startswith("hedging.enabled = true: the chain has 1 models")
    assert "Add a provider" in finding


def test_hedging_remembers_as_many_calls_as_it_waits_for() -> None:
    (finding,) = findings(
        HEDGING__ENABLED="true", HEDGING__MINIMUM_SAMPLES="500", PROVIDERS=json.dumps(MODELS)
    )
    assert finding.startswith("hedging.minimum_samples = 500 is above")


@pytest.mark.parametrize(
    ("name", "value"),
    [("PERCENTILE", "95"), ("LARGEST_SHARE", "0"), ("SHORTEST_SECONDS", "-1")],
)
def test_a_number_of_hedging_out_of_its_range_is_named(name: str, value: str) -> None:
    (finding,) = findings(**{f"HEDGING__{name}": value})
    assert f"hedging.{name.lower()}" in finding
    assert value in finding


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BREAKERS__OPEN_SECONDS", "inf"),
        ("CACHING__TTL_SECONDS", "Infinity"),
        ("BREAKERS__WINDOW_SECONDS", "1e300"),
        ("HEDGING__SHORTEST_SECONDS", "nan"),
    ],
)
def test_no_time_lasts_for_ever(name: str, value: str) -> None:
    (finding,) = findings(**{name: value})
    assert finding.startswith(name.lower().replace("__", "."))


def test_a_file_that_says_infinity_inside_a_list_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "forebay.toml"
    file.write_text(
        '[[providers]]\nname = "a"\nkind = "handoff"\ntotal_timeout_seconds = inf\n'
        "[[chaos.injections]]\nkind = 'latency'\nrate = nan\nseconds = 1\n"
    )
    with pytest.raises(SettingsError) as refused:
        load_settings({}, file=file)
    assert [finding.split(" = ")[0] for finding in refused.value.findings] == [
        "providers",
        "chaos.injections",
    ]


@pytest.mark.parametrize(
    ("model", "amount", "said"),
    [("m", "1e400000", "input_per_million"), ("m", "-1", "input_per_million"), ("", "1", "Name")],
)
def test_a_price_that_the_ledger_could_not_book_is_refused(
    model: str, amount: str, said: str
) -> None:
    price = {"model": model, "input_per_million": amount, "output_per_million": "1"}
    (finding,) = findings(COSTS__PRICES=json.dumps([price]))
    assert finding.startswith("costs.prices:")
    assert said in finding


@pytest.mark.parametrize("amount", ["-1", "nan", "inf", "1e999"])
def test_a_budget_that_is_no_amount_is_refused(amount: str) -> None:
    (finding,) = findings(LIMITS__DAILY_BUDGET=amount)
    assert finding.startswith("limits.daily_budget = ")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("amqps://u:hunter2@h//?ca_certs=/x", "'ca_certs' is not read. Set broker.tls.ca_file"),
        ("amqp://u:hunter2@h//?heartbeat=3", "'heartbeat' is not read. Set broker.heartbeat_sec"),
        ("rediss://:hunter2@h/0?ssl_cert_reqs=none", "Certificates are always verified: take it"),
        ("redis://:hunter2@h/0?colour=", "'colour' is not read. Take it out."),
        ("amqp://u:hun?ter2@h/", "a / in its user or password as %2F, a ? as %3F"),
        ("amqp://u:1?ter2@h/", "a / in its user or password as %2F, a ? as %3F"),
        ("amqp://u:hun#ter2@h/", "a ? as %3F and a # as %23"),
        ("amqp://u:hun/ter2@h/", "a / in its user or password as %2F"),
        ("redis://:hunter2@h/limits", "'/limits' names no database. End it with a number"),
    ],
)
def test_what_nobody_reads_in_a_brokers_address_is_named_with_its_fix(url: str, said: str) -> None:
    (finding,) = findings(BROKER__URL=url)
    assert finding.startswith("broker.url: ")
    assert said in finding
    assert "hun" not in finding
    assert "ter2" not in finding


def test_a_parameter_of_redis_is_named_with_its_setting() -> None:
    (finding,) = findings(REDIS__URL="rediss://h/0?ssl_ca_certs=/x")
    assert "redis.url: its parameter 'ssl_ca_certs' is not read. Set redis.tls.ca_file" in finding


def test_files_of_tls_need_an_encrypted_address_and_must_be_readable(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    (clear,) = findings(BROKER__URL="amqp://h//", BROKER__TLS__CA_FILE=str(file))
    assert f"broker.tls.ca_file = '{file}': broker.url is not encrypted" in clear
    (absent,) = findings(REDIS__URL="rediss://h/0", REDIS__TLS__CA_FILE=str(file))
    assert f"redis.tls.ca_file = '{file}': cannot be read" in absent
    file.touch()
    (half,) = findings(REDIS__URL="rediss://h/0", REDIS__TLS__KEY_FILE=str(file))
    assert "without redis.tls.certificate_file" in half

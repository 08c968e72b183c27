"""Settings: where each value comes from, and that every fault is said at once, with its fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import Settings, load_settings, with_secrets
from shared.settings.providers import ProviderKind
from shared.settings.secret import Secret

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No forebay.toml of anybody's lies around."""
    monkeypatch.chdir(tmp_path)


def findings(env: dict[str, str], file: Path | None = None) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_settings(env, file=file)
    return list(refused.value.findings)


def missing(env: dict[str, str]) -> tuple[str, ...]:
    """What a worker says that has not all its secrets; whoever needs none reads on."""
    settings = load_settings(env)
    with pytest.raises(SettingsError) as refused:
        with_secrets(settings, env)
    return tuple(refused.value.findings)


def toml(folder: Path, text: str) -> Path:
    path = folder / "forebay.toml"
    path.write_text(text)
    return path


def test_nothing_set_is_a_sound_tree_of_defaults() -> None:
    assert load_settings({}) == Settings()


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    file = toml(tmp_path, "[ledger]\npool_size = 7\nlease_seconds = 3.5\n")
    settings = load_settings({"FOREBAY_LEDGER__POOL_SIZE": "9"}, file=file)
    assert settings.ledger.pool_size == 9
    assert settings.ledger.lease_seconds == 3.5
    assert settings.ledger.group_limit == Settings().ledger.group_limit


def test_a_file_in_the_folder_is_found_and_the_named_one_is_preferred(tmp_path: Path) -> None:
    toml(tmp_path, "[worker]\nconcurrency = 11\n")
    assert load_settings({}).worker.concurrency == 11
    other = tmp_path / "other.toml"
    other.write_text("[worker]\nconcurrency = 12\n")
    assert load_settings({"FOREBAY_CONFIG": str(other)}).worker.concurrency == 12


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("FOREBAY_LEDGER__POOL_SIZE", "none", "ledger.pool_size"),
        ("FOREBAY_LEDGER__POOL_SIZE", "0", "ledger.pool_size"),
        ("FOREBAY_INGRESS__PORT", "70000", "ingress.port"),
        ("FOREBAY_REDIS__TIMEOUT_SECONDS", "30", "redis.timeout_seconds"),
        ("FOREBAY_INGRESS__INTAKE", "perhaps", "ingress.intake"),
        ("FOREBAY_LEDGER__POOLSIZE", "3", "ledger.poolsize"),
        ("FOREBAY_LEGDER__POOL_SIZE", "3", "legder"),
        ("FOREBAY_LEDGER", "3", "ledger"),
    ],
)
def test_a_finding_names_key_value_and_origin(name: str, value: str, key: str) -> None:
    (finding,) = findings({name: value})
    assert finding.startswith(f"{key} = ")
    assert value in finding
    assert finding.endswith("."), "a sentence, and the fix in it"


def test_a_finding_about_an_environment_value_says_which_variable_it_came_from() -> None:
    (finding,) = findings({"FOREBAY_INGRESS__PORT": "x"})
    assert "(from FOREBAY_INGRESS__PORT)" in finding


def test_a_finding_about_a_file_says_which_file_it_came_from(tmp_path: Path) -> None:
    file = toml(tmp_path, '[ingress]\nport = "eighty"\n')
    (finding,) = findings({}, file)
    assert f"(from {file})" in finding


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[[providers]]\nname = "a"\nkind = "openai"\n',
            "openai_compatible, azure_openai, anthropic, local",
        ),
        ('[[chaos.injections]]\nkind = "noise"\n', "latency, fault, outcome"),
    ],
)
def test_a_word_that_is_none_of_a_few_is_told_which_there_are(
    text: str, words: str, tmp_path: Path
) -> None:
    (finding,) = findings({}, toml(tmp_path, text))

    assert words in finding


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("[ingres]\nport = 1\n", "Did you mean [ingress]?"),
        ("[ingress]\nprot = 1\n", "Did you mean ingress.port?"),
        ("[broker.tsl]\nca_file = 'x'\n", "Did you mean [broker.tls]?"),
        ("[nothing_like_it]\nx = 1\n", "is not a setting. Known here"),
    ],
)
def test_a_name_that_is_nearly_a_setting_is_told_which(
    tmp_path: Path, text: str, meant: str
) -> None:
    file = tmp_path / "forebay.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings({}, file=file)
    (finding,) = caught.value.findings
    assert meant in finding
    assert f"(from {file})" in finding


def test_every_fault_is_found_at_once() -> None:
    found = findings(
        {
            "FOREBAY_INGRESS__PORT": "x",
            "FOREBAY_LEDGER__POOL_SIZE": "y",
            "FOREBAY_WORKER__NO_SUCH": "1",
        }
    )
    assert [finding.split(" ")[0] for finding in found] == [
        "ingress.port",
        "ledger.pool_size",
        "worker.no_such",
    ]


@pytest.mark.parametrize(
    ("text", "problem"), [("[ledger\n", "not valid TOML"), ("\xff", "not valid TOML")]
)
def test_a_file_that_is_no_toml_is_said(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "forebay.toml"
    file.write_bytes(text.encode("latin-1"))
    (finding,) = findings({}, file)
    assert str(file) in finding
    assert problem in finding


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    (finding,) = findings({"FOREBAY_CONFIG": str(tmp_path / "gone.toml")})
    assert "gone.toml cannot be read" in finding


def test_a_password_is_refused_in_the_file_and_never_shown(tmp_path: Path) -> None:
    file = toml(tmp_path, '[broker]\nurl = "amqp://me:hunter2@rabbit:5672//"\n')
    (finding,) = findings({}, file)
    assert "hunter2" not in finding
    assert "FOREBAY_BROKER__URL" in finding
    assert "FOREBAY_BROKER__URL_FILE" in finding


def test_a_secret_comes_from_the_environment_or_from_a_file_it_names(tmp_path: Path) -> None:
    url = "amqp://me:hunter2@rabbit:5672//"
    secret = tmp_path / "url"
    secret.write_text(f"{url}\n")
    assert load_settings({"FOREBAY_BROKER__URL": url}).broker.url == url
    settings = load_settings({"FOREBAY_BROKER__URL_FILE": str(secret)})
    assert settings.broker.url == url
    assert "hunter2" not in repr(settings)


def test_a_secret_file_that_is_not_there_is_said() -> None:
    (finding,) = findings({"FOREBAY_BROKER__URL_FILE": "/nowhere/url"})
    assert "FOREBAY_BROKER__URL_FILE=/nowhere/url cannot be read" in finding


def test_a_chain_is_a_list_in_the_file_or_json_in_the_environment(tmp_path: Path) -> None:
    file = toml(
        tmp_path,
        '[[providers]]\nname = "a"\nkind = "handoff"\n'
        '[[providers]]\nname = "b"\nkind = "rules"\nrules_file = "r.toml"\n',
    )
    assert [link.name for link in load_settings({}, file=file).providers] == ["a", "b"]
    chain = '[{"name": "c", "kind": "handoff", "apology": "Sorry."}]'
    (link,) = load_settings({"FOREBAY_PROVIDERS": chain}).providers
    assert (link.name, link.kind, link.apology) == ("c", ProviderKind.HANDOFF, "Sorry.")


def test_json_that_is_none_is_said() -> None:
    (finding,) = findings({"FOREBAY_PROVIDERS": "[{"})
    assert "not valid JSON" in finding


def test_a_provider_takes_its_key_from_where_it_says(tmp_path: Path) -> None:
    link = (
        '[{{"name": "a", "kind": "anthropic", "base_url": "http://x", "model": "m", "{0}": "{1}"}}]'
    )
    by_env = {"FOREBAY_PROVIDERS": link.format("api_key_env", "MY_KEY"), "MY_KEY": KEY}
    (provider,) = with_secrets(load_settings(by_env), by_env).providers
    assert provider.api_key == Secret(KEY)
    assert KEY not in repr(provider)
    kept = tmp_path / "key"
    kept.write_text(f"{KEY}\n")
    by_file = {"FOREBAY_PROVIDERS": link.format("api_key_file", kept)}
    assert with_secrets(load_settings(by_file), {}).providers[0].api_key == Secret(KEY)


def test_a_key_that_is_not_there_or_stands_in_the_open_is_said() -> None:
    link = (
        '[{{"name": "a", "kind": "anthropic", "base_url": "http://x", "model": "m", "{0}": "{1}"}}]'
    )
    (finding,) = missing({"FOREBAY_PROVIDERS": link.format("api_key_env", "MY_KEY")})
    assert "$MY_KEY, which is not set" in finding
    (finding,) = missing({"FOREBAY_PROVIDERS": link.format("api_key_file", "/nowhere")})
    assert "/nowhere, which cannot be read" in finding
    (finding,) = findings({"FOREBAY_PROVIDERS": link.format("api_key", KEY)})
    assert KEY not in finding
    assert "api_key_env" in finding


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret(KEY)
    assert secret.reveal() == KEY
    assert KEY not in f"{secret} {secret!r} {[secret]}"

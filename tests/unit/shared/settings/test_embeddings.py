"""Encoders in the settings: what each kind needs, takes, and is refused for."""

from __future__ import annotations

import pickle
from pathlib import Path

import msgspec
import pytest

from shared.errors import SettingsError
from shared.settings import load_settings
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderKind, EncoderSettings
from shared.settings.loading.secrets import with_encoder_keys
from shared.settings.secret import ServerUrl

TORCH = EncoderSettings(
    kind=EncoderKind.SENTENCE_TRANSFORMERS, model="some/model", revision="abc", dimensions=768
)
REMOTE = EncoderSettings(
    kind=EncoderKind.OPENAI,
    model="small",
    dimensions=4,
    url=ServerUrl("http://127.0.0.1:1/v1"),
)


def faults(settings: EncoderSettings, **changed: object) -> list[str]:
    changed_settings = msgspec.structs.replace(settings, **changed)
    return list(EmbeddingSettings(code=changed_settings).faults())


@pytest.mark.parametrize("settings", [EncoderSettings(), TORCH, REMOTE])
def test_what_is_whole_is_sound(settings: EncoderSettings) -> None:
    assert faults(settings) == []


@pytest.mark.parametrize(
    ("settings", "changed", "said"),
    [
        (EncoderSettings(), {"model": "other"}, "embeddings.code.model = 'other': a model of kind"),
        (EncoderSettings(), {"token_limit": 512}, "embeddings.code.token_limit = 512: all-MiniLM"),
        (TORCH, {"revision": None}, "embeddings.code.revision is not given"),
        (TORCH, {"dimensions": None}, "embeddings.code.dimensions is not given"),
        (TORCH, {"url": ServerUrl("http://u:p@h/v1")}, "code.url = 'http://u:***@h/v1': a model"),
        (TORCH, {"batch_tokens": 64, "token_limit": 65}, "code.batch_tokens = 64 is below"),
        (REMOTE, {"url": None}, "embeddings.code.url is not given"),
        (
            REMOTE,
            {"url": ServerUrl("ftp://h/v1")},
            "embeddings.code.url = 'ftp://h/v1': no address",
        ),
        (REMOTE, {"url": ServerUrl("http://[::1")}, "no address of an HTTP server"),
        (REMOTE, {"model": None}, "embeddings.code.model is not given"),
        (REMOTE, {"remote_code": True}, "embeddings.code.remote_code = True: a model of kind"),
    ],
)
def test_a_fault_names_its_key_and_the_fix(
    settings: EncoderSettings, changed: dict[str, object], said: str
) -> None:
    (fault,) = faults(settings, **changed)
    assert said in fault
    assert ". " in fault
    assert fault.endswith(".")


def test_they_are_read_from_the_file_and_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "forebay.toml"
    file.write_text(
        '[embeddings.code]\nkind = "openai"\nmodel = "m"\ndimensions = 8\nurl = "http://h/v1"\n'
        'api_key_env = "EMBEDDING_KEY"\n'
    )
    settings = load_settings({"FOREBAY_EMBEDDINGS__TEXT__TOKEN_LIMIT": "64"}, file=file).embeddings
    assert settings.token_limit_of("text") == 64
    assert settings.token_limit_of("code") == 512
    filled = with_encoder_keys(settings, {"EMBEDDING_KEY": "secret"})
    assert filled.code.api_key is not None
    assert filled.code.api_key.reveal() == "secret"
    with pytest.raises(SettingsError, match=r"embeddings\.code takes its key from"):
        with_encoder_keys(settings, {})


def test_the_shipped_model_sees_less_of_code() -> None:
    settings = EmbeddingSettings()
    assert (settings.token_limit_of("text"), settings.token_limit_of("code")) == (256, 128)


def test_a_process_can_be_handed_them() -> None:
    assert pickle.loads(pickle.dumps(TORCH)) == TORCH

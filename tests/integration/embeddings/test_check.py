"""`forebay check` of encoders: nothing of the shipped one, a line for each that was chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.cli.check.encoders import check_encoders
from deploy.cli.check.finding import Level
from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderKind, EncoderSettings
from shared.settings.secret import ServerUrl

REMOTE = EncoderSettings(kind=EncoderKind.OPENAI, model="m", dimensions=64)


async def _said(text: EncoderSettings, *, ask: bool, **changed: Any) -> tuple[Level, str]:
    settings = EmbeddingSettings(text=msgspec.structs.replace(text, **changed))
    (finding,) = await check_encoders(settings, ask=ask)
    return finding.level, finding.sentence


async def test_nothing_is_said_of_the_shipped_model() -> None:
    assert await check_encoders(EmbeddingSettings(), ask=True) == []


async def test_a_server_is_asked_only_when_that_is_wanted() -> None:
    async with ScriptedProvider() as provider:
        provider.script(Behaviour(kind=Kind.UNAUTHORISED))
        url = ServerUrl(provider.openai_url)
        level, said = await _said(REMOTE, ask=False, url=url)
        assert (level, len(provider.calls)) == (Level.FINE, 0)
        assert "64 numbers, 512 tokens" in said
        level, said = await _said(REMOTE, ask=True, url=url)
    assert level is Level.HINT
    assert "answered 401" in said


async def test_a_key_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    url = ServerUrl("http://127.0.0.1:1/v1")
    level, said = await _said(REMOTE, ask=False, url=url, api_key_env="NO_SUCH_KEY")
    assert level is Level.HINT
    assert "NO_SUCH_KEY, which is not set" in said


async def test_an_extra_that_is_not_installed_is_said(tmp_path: Path) -> None:
    torch = EncoderSettings(
        kind=EncoderKind.TRANSFORMERS,
        model="m",
        revision="r",
        dimensions=8,
        folder=str(tmp_path / "none"),
    )
    level, said = await _said(torch, ask=False)
    assert level is Level.HINT
    assert "forebay[torch]" in said

"""Gateways want headers of their own, some of them secret, and servers are told who asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.errors import SettingsError
from shared.settings import load_settings
from shared.settings.loading.secrets import with_secrets
from tests.integration.providers.asking import prompt
from tests.integration.providers.raw_server import RawServer
from workers.providers.building import build_chain
from workers.providers.failures import ProviderError
from workers.providers.wire.http.connections import ProviderConnections

SECRET = "pk-live-1234"


def environment(link: dict[str, object]) -> dict[str, str]:
    whole = {"name": "gateway", "model": "m", **link}
    return {"FOREBAY_PROVIDERS": json.dumps([whole]), "PORTKEY": SECRET}


@pytest.mark.parametrize("kind", ["openai_compatible", "anthropic"])
async def test_every_call_carries_them(
    server: RawServer, connections: ProviderConnections, tmp_path: Path, kind: str
) -> None:
    kept = tmp_path / "trace"
    kept.write_text("from-a-file\n")
    env = environment(
        {
            "kind": kind,
            "base_url": server.openai_url,
            "headers": {"x-portkey-provider": "openai"},
            "headers_env": {"x-portkey-api-key": "PORTKEY"},
            "headers_file": {"x-trace": str(kept)},
        }
    )
    settings = with_secrets(load_settings(env), env)
    assert SECRET not in repr(settings)
    (link,) = build_chain(settings.providers, connections, clock=SystemClock()).links
    server.sends(b"{}")
    with pytest.raises(ProviderError):
        await link.provider.answer(prompt(), time_left_seconds=60)
    assert server.headers["x-portkey-provider"] == "openai"
    assert server.headers["x-portkey-api-key"] == SECRET
    assert server.headers["x-trace"] == "from-a-file"
    assert server.headers["User-Agent"].startswith("Forebay/")


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({"headers": {"bad name": "x"}}, "which is no header's name"),
        ({"headers": {"Content-Length": "1"}}, "which we set"),
        ({"headers": {"x": "a\nb"}}, "cannot be sent"),
        ({"headers": {"x": "1"}, "headers_env": {"X": "PORTKEY"}}, "twice"),
        ({"headers_env": {"x": "NOBODY"}}, "$NOBODY, which is not set"),
        ({"secret_headers": {"x": "1"}}, "never written here"),
    ],
)
def test_one_that_cannot_be_sent_is_said(link: dict[str, object], said: str) -> None:
    env = environment({"kind": "openai_compatible", "base_url": "http://10.0.0.1/v1", **link})
    with pytest.raises(SettingsError) as caught:
        with_secrets(load_settings(env), env)
    assert said in str(caught.value)

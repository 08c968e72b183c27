"""A whole stack of ours before a scripted model that uses tools, sees pictures and remembers."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

import httpx2

from tests.acceptance.command import RunningStack, clean_environment
from tests.integration.workers.provider_thread import ProviderThread

_SETTINGS: Final = """\
[[providers]]
name = "scripted"
kind = "openai_compatible"
base_url = "{url}"
model = "gpt-4o"
"""
_WEATHER: Final = {"name": "get_weather", "arguments": '{"city":"Oslo"}'}
_BOTH: Final = [{"name": "get_weather", "arguments": '{"city":"Bergen"}'}, _WEATHER]
_ADA: Final = '{"name":"Ada","year":1843}'
_SCRIPT_SECONDS: Final = 300


def _fields(**fields: object) -> str:
    """As dspy wants an answer where it knows no schema of it."""
    told = "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in fields.items())
    return f"{told}[[ ## completed ## ]]"


def _rule(behave: dict[str, Any], **match: object) -> dict[str, object]:
    return {"behave": behave, "match": match}


# The first that fits decides; without one the model echoes.
_RULES: Final = (
    _rule({"text": _fields(name="Ada", year=1843)}, contains="[[ ## year ## ]]"),
    _rule(
        {"text": _fields(answer="A single red pixel.")}, contains="[[ ## picture ## ]]", images=1
    ),
    _rule(
        {"text": _fields(answer="Tell me of forebays, piece by piece.")},
        contains="[[ ## answer ## ]]",
    ),
    _rule({"text": "Rain is what Oslo has."}, output="rain all day"),
    _rule({"calls": _BOTH}, contains="the weather in Bergen and Oslo", tools=True),
    _rule({"calls": [_WEATHER]}, contains="the weather in Oslo", tools=True),
    _rule({"calls": [{"arguments": _ADA}]}, contains="Who wrote the first program", tools=True),
    _rule({"text": _ADA}, contains="Who wrote the first program"),
    _rule({"text": "Your name is Ada."}, contains="What is my name", said="My name is Ada."),
    _rule({"text": "A single red pixel."}, contains="What does this picture show", images=1),
)


class Front:
    """`with Front(folder) as front`: its address and key are in what `environment` gives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        provider = self._exits.enter_context(ProviderThread())
        root = provider.url.removesuffix("/v1")
        httpx2.post(f"{root}/script", json=list(_RULES)).raise_for_status()
        (self._folder / "forebay.toml").write_text(_SETTINGS.format(url=provider.url))
        stack = RunningStack(self._folder)
        self._exits.callback(stack.close)
        self._environment = clean_environment(
            FRONT_URL=stack.ready["url"], FRONT_KEY=stack.ready["key"], HOME=str(self._folder)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """What the door says to a request that no client stands before."""
        key = {"Authorization": f"Bearer {self._environment['FRONT_KEY']}"}
        url = self._environment["FRONT_URL"] + path
        return httpx2.post(url, json={"model": "gpt-4o", **body}, headers=key)

    def run(self, command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        """Run a client's script to its end."""
        # A client that found ours on its path would not be the one that was installed.
        environment = {k: v for k, v in self._environment.items() if k != "PYTHONPATH"}
        return subprocess.run(
            command,
            env=environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=_SCRIPT_SECONDS,
        )

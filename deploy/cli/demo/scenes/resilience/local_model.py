"""No provider can be reached and nobody has a key: a small model on this machine answers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.cli.send.result import text_of
from deploy.embedded.local_model import local_model_role
from deploy.embedded.processes.child import Child
from deploy.embedded.processes.leash import Leash
from deploy.scripted_provider.behaviour import Behaviour, Kind
from shared.settings import load_settings
from workers.local_model.weights import INSTALL_COMMAND, is_installed

_OUTPUT_TOKENS: Final = 48


async def local_model(stage: Stage) -> Told:
    if not is_installed(load_settings(stage.environment).local_model):
        return Told(
            f"Not shown, since the local model is not installed. Type: {INSTALL_COMMAND}",
            {"is_installed": False},
        )
    for provider in (stage.primary, stage.secondary):
        provider.script(Behaviour(kind=Kind.SERVER_ERROR, status=503))
    began = time.monotonic()
    async with _model_running(stage):
        start_seconds = time.monotonic() - began
        heard = await _hear(stage)
    expect("smollm2" in heard.model, f"{heard.model} answered: {heard.text}")
    return Told(
        f"Both providers are down, and no key is needed: a model of 135 million parameters, up in "
        f"{start_seconds:.1f} s in a process of its own, wrote {heard.tokens} tokens, "
        f"{heard.tokens_per_second:.0f} a second, for $0: “{heard.text}”",
        {
            "is_installed": True,
            "answered_by": heard.model,
            "start_seconds": round(start_seconds, 2),
            "output_tokens": heard.tokens,
            "tokens_per_second": round(heard.tokens_per_second, 1),
        },
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    model: str
    text: str
    tokens: int
    tokens_per_second: float


async def _hear(stage: Stage) -> _Heard:
    written_at: list[float] = []
    response: dict[str, Any] = {}
    question = stage.visitor.stream("What is gravity?", max_output_tokens=_OUTPUT_TOKENS)
    async for event in question:
        if event["type"] == "response.output_text.delta":
            written_at.append(time.monotonic())
        response = event.get("response", response)
    expect(len(written_at) > 1, f"Nothing was written: {response}")
    tokens = int(response["usage"]["output_tokens"])
    seconds = written_at[-1] - written_at[0]
    return _Heard(response["model"], text_of(response) or "", tokens, tokens / seconds)


@asynccontextmanager
async def _model_running(stage: Stage) -> AsyncIterator[None]:
    """Only for this scene, so that in the others nobody stands before rules and people."""
    leash = Leash()
    child = Child(
        local_model_role(load_settings(stage.environment), stage.environment),
        leash=leash,
        log=Path(stage.state.folder) / "local-model.log",
        report=lambda _: None,
    )
    try:
        await child.start()
        yield
    finally:
        await child.stop()
        leash.close()

"""`forebay up`: the whole stack on this machine."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from deploy.cli.options import AsJson
from deploy.cli.output import as_typed, complain, say, say_json
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.embedded.files.state_file import StackState
    from deploy.embedded.stack import EmbeddedStack


def up(
    *,
    provider_url: str | None = None,
    model: str | None = None,
    provider_key_env: str | None = None,
    as_json: AsJson = False,
) -> int:
    """Start everything here, in one folder and on loopback, until Ctrl-C.

    Redis, the ledger, the door, workers, an indexer and Flower. Data stays in the folder
    (`.forebay`). Without providers in the settings a small model on this machine answers, if it is
    installed; after it built-in rules, then people.

    Parameters
    ----------
    provider_url
        Ask this OpenAI-compatible server first, such as http://127.0.0.1:11434/v1.
    model
        The model to ask there.
    provider_key_env
        The variable that holds the key for it.
    """
    environment = dict(os.environ)
    if provider_url or model or provider_key_env:
        environment |= _provider(provider_url, model, provider_key_env)
    asyncio.run(_up(environment, as_json=as_json))
    return 0


def _provider(url: str | None, model: str | None, key_env: str | None) -> dict[str, str]:
    from deploy.embedded.chain import chain_behind

    if not url or not model:
        raise InvalidRequest("Give both --provider-url and --model.")
    named: dict[str, object] = {
        "name": "model",
        "kind": "openai_compatible",
        "base_url": url,
        "model": model,
    }
    if key_env:
        named["api_key_env"] = key_env
    return chain_behind(named)


async def _up(environment: dict[str, str], *, as_json: bool) -> None:
    from deploy.embedded.interruption import until_interrupted

    await until_interrupted(_serve(environment, as_json=as_json), report=complain)


async def _serve(environment: dict[str, str], *, as_json: bool) -> None:
    from deploy.embedded.stack import embedded_stack

    began = time.monotonic()

    def tell() -> None:
        if not as_json:
            say("Starting Redis, the ledger, the door, a worker, an indexer, Flower, a model ...")

    opening = embedded_stack(environment, report=complain, on_start=tell)
    async with opening as (stack, state):
        seconds = time.monotonic() - began
        if as_json:
            say_json(_ready(state, stack, seconds))
        else:
            _welcome(state, stack, seconds)
        await asyncio.Event().wait()


def _ready(state: StackState, stack: EmbeddedStack, seconds: float) -> dict[str, object]:
    return {
        "ready": True,
        "seconds": round(seconds, 2),
        "pid": state.pid,
        "folder": state.folder,
        "url": state.url,
        "docs_url": f"{state.url}/docs",
        "console_url": f"{state.url}/console" if stack.has_console else None,
        "key": state.key,
        "admin_key": state.admin_key,
        "flower_url": state.flower_url,
        "flower_user": state.flower_user,
        "flower_password": state.flower_password,
        "metrics_urls": stack.metrics_urls,
        "providers": stack.providers,
    }


def _welcome(state: StackState, stack: EmbeddedStack, seconds: float) -> None:
    say(f"Ready in {seconds:.1f} s. Everything is in {state.folder}.\n")
    say(f"  API      {state.url}/v1")
    say(f"  Key      {state.key}")
    say(f"  Docs     {state.url}/docs")
    if stack.has_console:
        say(f"  Console  {state.url}/console  (log in with {state.admin_key})")
    if state.flower_url:
        say(f"  Flower   {state.flower_url}  ({state.flower_user} / {state.flower_password})")
    say(f"  Metrics  {', '.join(stack.metrics_urls.values())}")
    say(f"  Answers  {', then '.join(stack.providers)}\n")
    if stack.has_own_chain:
        _suggest_provider(stack)
    say(f'Try:  {as_typed()} send "hello"       Stop:  Ctrl-C')


def _suggest_provider(stack: EmbeddedStack) -> None:
    if stack.runs_local_model:
        say(
            "No provider is configured: a small model on this machine answers, fluent, often wrong."
        )
    else:
        say("No model is configured: rules answer what they know, people the rest.")
        for sentence in stack.missing_for_local_model:
            say(sentence)
    say("Name one with --provider-url and --model, or under [[providers]] in forebay.toml.\n")

"""The local model as a part of the stack: when it runs, who asks it, how it is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from deploy.embedded.chain import chain_behind
from deploy.embedded.environment import child_environment, python_command
from deploy.embedded.processes.http_probe import answers_ok
from deploy.embedded.processes.ports import LOOPBACK, usable_port
from deploy.embedded.processes.role import ProcessRole, StopTurn
from shared.errors import SettingsError
from shared.settings import Settings
from shared.settings.providers import ProviderKind
from workers.local_model.weights import is_installed, missing_parts

_GRACE_SECONDS: Final = 5.0


def local_model_environment(wanted: Settings) -> dict[str, str]:
    """Where its process shall listen, and the chain that asks it where nobody named another."""
    environment = {
        "FOREBAY_LOCAL_MODEL__HOST": LOOPBACK,
        "FOREBAY_LOCAL_MODEL__PORT": str(usable_port(wanted.local_model.port)),
    }
    if _answers_first(wanted):
        environment |= chain_behind(_local_provider(wanted))
    return environment


def runs_local_model(settings: Settings) -> bool:
    """Whether a provider asks the process on this machine, so that it must be started.

    Raises SettingsError when it is not installed.
    """
    own = settings.local_model.base_url
    is_asked = any(
        provider.kind is ProviderKind.LOCAL and provider.base_url == own
        for provider in settings.providers
    )
    if not (is_asked and settings.embedded.local_model):
        return False
    if missing := missing_parts(settings.local_model):
        raise SettingsError(missing)
    return True


def local_model_role(settings: Settings, environment: Mapping[str, str]) -> ProcessRole:
    port = settings.local_model.port
    return ProcessRole(
        name="local-model",
        command=python_command("workers.local_model"),
        environment=child_environment(environment),
        is_ready=lambda: answers_ok(port, "/health"),
        stop_turn=StopTurn.SERVER,
        patience_seconds=_GRACE_SECONDS,
        is_needed=False,
    )


def _answers_first(wanted: Settings) -> bool:
    is_free_to_choose = wanted.embedded.local_model and not wanted.providers
    return is_free_to_choose and is_installed(wanted.local_model)


def _local_provider(wanted: Settings) -> dict[str, object]:
    return {
        "name": "local",
        "kind": ProviderKind.LOCAL,
        # Whoever comes too many waits with us, where a deadline is seen, and not in llama.cpp.
        "max_concurrency": wanted.local_model.slots,
    }

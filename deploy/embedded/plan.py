"""Which ports and settings a run uses, decided before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.embedded.environment import overlaid, pseudonym_environment, stack_environment
from deploy.embedded.files.credentials import Credentials
from deploy.embedded.files.folder import StackFolder
from deploy.embedded.local_model import local_model_environment, runs_local_model
from deploy.embedded.metrics_ports import usable_ports, wanted_ports
from deploy.embedded.processes.ports import usable_port
from shared.settings import Settings, load_settings, with_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlan:
    """One run. `overlay` is what makes other processes part of it, `environment` all they get."""

    settings: Settings
    overlay: dict[str, str]
    environment: dict[str, str]
    redis_port: int
    flower_port: int | None
    metrics_ports: Mapping[str, int]
    """Where workers and the indexer tell theirs, by name."""
    has_own_chain: bool
    """Nobody configured a provider, so the stack chose."""
    runs_local_model: bool
    notices: tuple[str, ...]
    """What is not as the settings asked for."""


def plan_run(
    folder: StackFolder, credentials: Credentials, environment: Mapping[str, str]
) -> StackPlan:
    """Take the ports that the settings name where they are free; raises SettingsError."""
    wanted = load_settings(environment)
    with_secrets(wanted, environment)  # its workers would miss them only once they start
    redis_port = usable_port(wanted.embedded.redis_port)
    door_port = usable_port(wanted.ingress.port)
    overlay = stack_environment(folder, credentials, redis_port=redis_port, door_port=door_port)
    overlay |= _chain_of(environment) | local_model_environment(wanted)
    if not wanted.telemetry.pseudonym_key_env and not wanted.telemetry.pseudonym_key_file:
        overlay |= pseudonym_environment(credentials)
    ours = overlaid(environment, overlay)
    flower_port = usable_port(wanted.embedded.flower_port) if wanted.embedded.flower else None
    settings, metrics_ports = load_settings(ours), usable_ports(wanted_ports(wanted))
    return StackPlan(
        settings=settings,
        overlay=overlay,
        environment=ours,
        redis_port=redis_port,
        flower_port=flower_port,
        metrics_ports=metrics_ports,
        has_own_chain=not wanted.providers,
        runs_local_model=runs_local_model(settings),
        notices=_replaced(
            ("Redis", wanted.embedded.redis_port, redis_port),
            ("the door", wanted.ingress.port, door_port),
            ("Flower", wanted.embedded.flower_port, flower_port),
            *(
                (f"/metrics of {name}", asked, metrics_ports[name])
                for name, asked in wanted_ports(wanted).items()
            ),
        ),
    )


def _replaced(*ports: tuple[str, int, int | None]) -> tuple[str, ...]:
    """A sentence for each that is not the one which was asked for."""
    return tuple(
        f"Port {asked} is taken: {who} is at {got} instead."
        for who, asked, got in ports
        if got is not None and asked not in {0, got}
    )


def _chain_of(environment: Mapping[str, str]) -> dict[str, str]:
    """The providers that this start was given, so that commands beside it know them as well."""
    return {name: value for name, value in environment.items() if name == "FOREBAY_PROVIDERS"}

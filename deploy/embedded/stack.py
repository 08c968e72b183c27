"""The embedded stack: one folder, one Redis, a ledger in SQLite, the door, workers, Flower."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from deploy.embedded.files.credentials import (
    FLOWER_USER,
    Credentials,
    load_credentials,
    save_credentials,
)
from deploy.embedded.files.folder import StackFolder
from deploy.embedded.files.log_file import keep_bounded
from deploy.embedded.files.state_file import StackState, write_state
from deploy.embedded.ledger import prepare_ledger
from deploy.embedded.local_model import local_model_role
from deploy.embedded.metrics_ports import INDEXER, worker_name
from deploy.embedded.plan import StackPlan, plan_run
from deploy.embedded.processes.child import Child, Report
from deploy.embedded.processes.leash import Leash
from deploy.embedded.processes.ports import LOOPBACK
from deploy.embedded.processes.role import ProcessRole, StopTurn
from deploy.embedded.roles import (
    flower_role,
    forget_old_workers,
    indexer_role,
    ingress_role,
    redis_role,
    worker_role,
)
from shared.errors import ForebayError
from shared.settings import load_settings
from workers.local_model.weights import missing_parts


class EmbeddedStack:
    """Starts the parts in the order of their needs and stops them in the order of their turns."""

    def __init__(
        self, folder: StackFolder, plan: StackPlan, credentials: Credentials, *, report: Report
    ) -> None:
        self._folder = folder
        self._plan = plan
        self._credentials = credentials
        self._report = report
        self._leash = Leash()
        self._children: list[Child] = []

    async def start(self) -> StackState:
        """Return when a message can be answered; raises StackFailed or LedgerUnavailable."""
        plan, password = self._plan, self._credentials.redis_password
        async with asyncio.TaskGroup() as first:
            preparing = first.create_task(
                prepare_ledger(plan.settings.ledger, self._credentials), name="ledger"
            )
            first.create_task(
                self._start(redis_role(self._folder, port=plan.redis_port, password=password))
            )
        self._credentials = preparing.result()
        save_credentials(self._folder.credentials, self._credentials)
        await forget_old_workers(redis_port=plan.redis_port, password=password)
        async with asyncio.TaskGroup() as rest:
            for role in self._roles():
                rest.create_task(self._start(role))
        return self._state()

    async def stop(self) -> None:
        """Drain: whatever runs gets the time that its role promises it."""
        for turn in StopTurn:
            stopping = [child for child in self._children if child.role.stop_turn is turn]
            await asyncio.gather(*(child.stop() for child in stopping))
        self._leash.close()

    def pid(self, role: str) -> int | None:
        """The process of a part; None while it is down."""
        return next((child.pid for child in self._children if child.role.name == role), None)

    @property
    def has_console(self) -> bool:
        """Whether its door serves the console."""
        return self._plan.settings.ingress.console

    @property
    def metrics_urls(self) -> dict[str, str]:
        """Where a Prometheus finds the metrics of each process, by its name."""
        ports = {"ingress": self._plan.settings.ingress.port, **self._plan.metrics_ports}
        return {name: f"http://{LOOPBACK}:{port}/metrics" for name, port in ports.items()}

    @property
    def providers(self) -> list[str]:
        """Who answers, in order; without settings the built-in rules, then people."""
        named = [provider.name for provider in self._plan.settings.providers]
        return named or ["rules", "handoff"]

    @property
    def has_own_chain(self) -> bool:
        """Whether nobody configured a provider, so that the stack chose who answers."""
        return self._plan.has_own_chain

    @property
    def runs_local_model(self) -> bool:
        """Whether a model on this machine is a part of it."""
        return self._plan.runs_local_model

    @property
    def missing_for_local_model(self) -> list[str]:
        """What keeps a model from running on this machine, a sentence each with its fix."""
        return missing_parts(self._plan.settings.local_model)

    @property
    def logs(self) -> list[Path]:
        return [child.log for child in self._children]

    async def _start(self, role: ProcessRole) -> None:
        log = self._folder.log(role.name)
        child = Child(role, leash=self._leash, log=log, report=self._report)
        self._children.append(child)
        await child.start()

    def _roles(self) -> list[ProcessRole]:
        plan = self._plan
        roles = [ingress_role(plan.settings, plan.environment)]
        roles += [
            worker_role(
                number,
                plan.settings,
                plan.environment,
                redis_port=plan.redis_port,
                password=self._credentials.redis_password,
                metrics_port=plan.metrics_ports.get(worker_name(number)),
            )
            for number in range(1, plan.settings.embedded.workers + 1)
        ]
        if plan.settings.embedded.indexer:
            roles.append(
                indexer_role(
                    plan.settings,
                    plan.environment,
                    redis_port=plan.redis_port,
                    password=self._credentials.redis_password,
                    metrics_port=plan.metrics_ports.get(INDEXER),
                )
            )
        if plan.runs_local_model:
            roles.append(local_model_role(plan.settings, plan.environment))
        if plan.flower_port is not None:
            roles.append(flower_role(plan.flower_port, plan.environment, self._credentials))
        return roles

    def _state(self) -> StackState:
        plan, credentials = self._plan, self._credentials
        has_flower = plan.flower_port is not None
        return StackState(
            pid=os.getpid(),
            folder=str(self._folder.path),
            url=f"http://{LOOPBACK}:{plan.settings.ingress.port}",
            key=credentials.key or "",
            admin_key=credentials.admin_key or "",
            flower_url=f"http://{LOOPBACK}:{plan.flower_port}" if has_flower else None,
            flower_user=FLOWER_USER if has_flower else None,
            flower_password=credentials.flower_password if has_flower else None,
            environment=plan.overlay,
        )


@asynccontextmanager
async def embedded_stack(
    environment: Mapping[str, str],
    *,
    report: Report,
    on_start: Callable[[], None] = lambda: None,
) -> AsyncIterator[tuple[EmbeddedStack, StackState]]:
    """A running stack for the length of the block, in the folder that the settings name.

    `on_start` is called once the folder is its own, before anything is started.
    Raises SettingsError, StackInUse, StackFailed or LedgerUnavailable; whatever had been started
    by then is stopped again.
    """
    folder = StackFolder(Path(load_settings(environment).embedded.folder))
    async with AsyncExitStack() as exits:
        exits.enter_context(folder.claimed())
        on_start()
        credentials = load_credentials(folder.credentials)
        plan = plan_run(folder, credentials, environment)
        stack = EmbeddedStack(folder, plan, credentials, report=report)
        exits.push_async_callback(stack.stop)
        for notice in plan.notices:
            report(notice)
        state = await _started(stack)
        write_state(folder.state, state)
        exits.callback(folder.state.unlink, missing_ok=True)
        bounding = asyncio.create_task(keep_bounded(stack.logs))
        exits.callback(bounding.cancel)
        yield stack, state


async def _started(stack: EmbeddedStack) -> StackState:
    try:
        return await stack.start()
    except* ForebayError as group:
        # Several parts can fail at once; the first one's log is where to look.
        failure = group.exceptions[0]
    raise failure

"""The `forebay` command: a file or a folder per verb, loaded when it is used.

Exit codes: 0 done, 1 failed, 2 wrongly used, 130 interrupted.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from deploy.cli.acts.table import act_of
from deploy.cli.help.written_help import written_help
from deploy.cli.output import complain, say
from shared.errors import ForebayError, InvalidRequest, SettingsError
from shared.storable_text import is_storable

if TYPE_CHECKING:
    from cyclopts import App

DONE = 0
FAILED = 1
WRONGLY_USED = 2
INTERRUPTED = 130

_VERBS: Final = (
    "up",
    "demo",
    "send",
    "batch",
    "check",
    "status",
    "keys",
    "show",
    "feedback",
    "outcomes",
    "variants",
    "tenants",
    "handoff",
    "dead",
    "erase",
    "files",
    "webhooks",
    "schedule",
    "index",
    "jobs",
    "collections",
    "search",
    "eval",
    "replay",
    "costs",
    "report",
    "rollups",
    "route",
    "providers",
    "breakers",
    "rehearse",
    "lanes",
    "cache",
    "alerts",
    "audit",
    "worker",
    "indexer",
    "ingress",
    "model",
)

_FOLDERS: Final = frozenset(
    {"batch", "cache", "check", "collections", "demo", "erase", "eval", "index", "replay"}
    | {"route", "schedule", "send", "webhooks"}
)
"""Verbs of several files."""
_BESIDE: Final = {
    "status": "seeing.status",
    "lanes": "seeing.lanes",
    "providers": "seeing.providers",
    "alerts": "seeing.alerts",
    "audit": "seeing.audit",
    "feedback": "seeing.feedback",
    "outcomes": "seeing.outcomes",
    "report": "seeing.report",
    "rollups": "seeing.rollups",
    "variants": "seeing.variants",
    "rehearse": "seeing.rehearse",
    "jobs": "index.jobs",
    "search": "index.search",
    "worker": "processes.worker",
    "indexer": "processes.indexer",
    "ingress": "processes.ingress",
    "model": "processes.model",
}
"""Verbs that lie with others."""


_SUMMARY: Final = (
    "A front for language models: admission, a durable ledger, queues, agent workers, an index."
)
_EXIT_CODES: Final = "Exit codes: 0 done, 1 failed, 2 wrongly used, 130 interrupted."


def build_app() -> App:
    """The command with all its verbs; none of them is imported before it is asked for."""
    from cyclopts import App, Parameter

    app = App(
        name="forebay",
        help=_SUMMARY,
        help_epilogue=_EXIT_CODES,
        version=_version,
        help_format="plaintext",
        help_formatter="plain",
        default_parameter=Parameter(negative=()),
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for verb in _VERBS:
        app.command(f"{_module(verb)}:{verb}", name=verb)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Errors are one sentence each, on stderr."""
    if not all(map(is_storable, arguments)):
        complain("What was typed is not valid UTF-8: write it in UTF-8.")
        return WRONGLY_USED
    try:
        return _obey(arguments)
    except SettingsError as error:
        complain(*error.findings)
        return FAILED
    except InvalidRequest as error:
        complain(error.message)
        return WRONGLY_USED
    except ForebayError as error:
        complain(error.message)
        return FAILED
    except BrokenPipeError:
        # Whoever read our output has enough of it.
        sys.stderr.close()
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _obey(arguments: Sequence[str]) -> int:
    if (written := written_help(arguments)) is not None:
        say(written)
        return DONE
    from cyclopts import CycloptsError

    try:
        code = _done(build_app(), arguments)
    except CycloptsError as error:
        from deploy.cli.help.wrong_use import wrong_use

        complain(wrong_use(error))
        return WRONGLY_USED
    return code if isinstance(code, int) else DONE


def _done(app: App, arguments: Sequence[str]) -> object:
    if (act := act_of(arguments)) is None:
        return app(arguments, exit_on_error=False, print_error=False)
    from deploy.cli.acts.recording import recorded

    with recorded(app, arguments, act):
        return app(arguments, exit_on_error=False, print_error=False)


def main() -> None:
    """The entry point of the installed command."""
    # What is loaded stays until the end: walking it on the way in and once more on the way out
    # would be a third of a short command.
    gc.set_threshold(200_000, 20, 20)
    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)


def _module(verb: str) -> str:
    place = f"{verb}.command" if verb in _FOLDERS else _BESIDE.get(verb, verb)
    return f"deploy.cli.{place}"


def _version() -> str:
    from importlib.metadata import version

    return version("forebay")


if __name__ == "__main__":
    main()

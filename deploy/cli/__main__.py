"""The `forebay` command: a file or a folder per verb, loaded when it is used.

Exit codes: 0 done, 1 failed, 2 wrongly used, 130 interrupted.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from deploy.cli.output import complain, say
from shared.errors import ForebayError, InvalidRequest, SettingsError
from shared.storable_text import is_storable

if TYPE_CHECKING:
    from cyclopts import App

DONE = 0
FAILED = 1
WRONGLY_USED = 2
INTERRUPTED = 130

# The first line of each verb's own help, so that the list of all verbs loads nothing at all.
VERBS = {
    "up": "Start everything here, in one folder and on loopback, until Ctrl-C.",
    "demo": "Start a stack of its own, send real messages through it and show what happened.",
    "send": "Send one message, or one for each line of a file, and print the answers.",
    "check": "Validate all settings, reach every server, and say whether Forebay may start.",
    "keys": "API keys: make, list, replace and revoke them.",
    "show": "Show one message: its state, every attempt with verdict and cost, its trace.",
    "tenants": "Tenants: list them, and give one its own limits and retention.",
    "handoff": "Messages that wait for a person: list, show and answer them.",
    "dead": "Dead letters: list, show, replay and discard them.",
    "erase": "Erase all that a user or a conversation said, and was answered.",
    "files": "Files that tenants uploaded: list, show and delete them.",
    "costs": "What was spent: by tenant, user, model, lane, provider or day.",
    "route": "Which model a message would get, and what that saves.",
    "providers": "Providers: how their calls ended, the last error, the breaker.",
    "breakers": "Circuit breakers of the providers: show and reset them.",
    "cache": "Stored answers: show, drop and invalidate them.",
    "worker": "Answer messages, in one process, until Ctrl-C.",
    "ingress": "Accept messages over HTTP and from the `intake` queue, until Ctrl-C.",
    "model": "Answer for `local` providers with a small model on this machine, until Ctrl-C.",
}

# Verbs of several files.
_FOLDERS = frozenset({"cache", "check", "dead", "demo", "erase", "route", "send"})


_SUMMARY: Final = "A front for language models: admission, a durable ledger, queues, agent workers."
_EXIT_CODES: Final = "Exit codes: 0 done, 1 failed, 2 wrongly used, 130 interrupted."
_LIST: Final[tuple[list[str], ...]] = (["--help"], ["-h"], [])


def list_of_verbs() -> str:
    """The help of the command itself."""
    lines = "".join(f"  {verb}: {summary}\n" for verb, summary in sorted(VERBS.items()))
    return (
        f"Usage: forebay COMMAND\n\n{_SUMMARY}\n\nCommands:\n{lines}"
        "  --help, -h: Display this message and exit.\n"
        f"  --version: Display application version.\n\n\n{_EXIT_CODES}"
    )


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
    for verb in VERBS:
        app.command(f"{_module(verb)}:{verb}", name=verb)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Errors are one sentence each, on stderr."""
    if not all(map(is_storable, arguments)):
        complain("What was typed is not valid UTF-8: write it in UTF-8.")
        return WRONGLY_USED
    if list(arguments) in _LIST:
        say(list_of_verbs())
        return DONE
    from cyclopts import CycloptsError

    try:
        code = build_app()(arguments, exit_on_error=False)
    except CycloptsError:
        return WRONGLY_USED
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
    return code if isinstance(code, int) else DONE


def main() -> None:
    """The entry point of the installed command."""
    # What is loaded stays until the end: walking it on the way in and once more on the way out
    # would be a third of a short command.
    gc.set_threshold(200_000, 20, 20)
    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)


def _module(verb: str) -> str:
    return f"deploy.cli.{verb}.command" if verb in _FOLDERS else f"deploy.cli.{verb}"


def _version() -> str:
    from importlib.metadata import version

    return version("forebay")


if __name__ == "__main__":
    main()

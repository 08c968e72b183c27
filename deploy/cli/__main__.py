"""The `forebay` command: a file or a folder per verb, loaded when it is used.

Exit codes: 0 done, 1 failed, 2 wrongly used, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter

from deploy.cli.output import complain
from shared.errors import ForebayError, InvalidRequest, SettingsError
from shared.storable_text import is_storable

DONE = 0
FAILED = 1
WRONGLY_USED = 2
INTERRUPTED = 130

# The first line of each verb's own help, so that the list of all verbs loads none of them.
VERBS = {
    "up": "Start everything here, in one folder and on loopback, until Ctrl-C.",
    "demo": "Start a stack of its own, send real messages through it and show what happened.",
    "send": "Send one message, or one for each line of a file, and print the answers.",
    "check": "Validate all settings, reach every server, and say whether Forebay may start.",
    "keys": "API keys: make, list, replace and revoke them.",
    "show": "Show one message: its state, every attempt with verdict and cost, its trace.",
    "tenants": "Tenants: list them, and give one limits of its own.",
    "handoff": "Messages that wait for a person: list, show and answer them.",
    "dead": "Dead letters: list, show, replay and discard them.",
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
_FOLDERS = frozenset({"cache", "check", "dead", "demo", "route", "send"})


def build_app(*, as_list: bool = False) -> App:
    """The command with all its verbs; none of them is imported before it is asked for.

    `as_list` gives each its one line, which would stand in the way of its own help.
    """
    app = App(
        name="forebay",
        help="A front for language models: admission, a durable ledger, queues, agent workers.",
        help_epilogue="Exit codes: 0 done, 1 failed, 2 wrongly used, 130 interrupted.",
        version=_version,
        help_format="plaintext",
        help_formatter="plain",
        default_parameter=Parameter(negative=()),
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for verb, summary in VERBS.items():
        lines = {"help": summary} if as_list else {}
        app.command(f"{_module(verb)}:{verb}", name=verb, **lines)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Errors are one sentence each, on stderr."""
    if not all(map(is_storable, arguments)):
        complain("What was typed is not valid UTF-8: write it in UTF-8.")
        return WRONGLY_USED
    names_verb = any(argument in VERBS for argument in arguments[:1])
    try:
        code = build_app(as_list=not names_verb)(arguments, exit_on_error=False)
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
    sys.exit(run(sys.argv[1:]))


def _module(verb: str) -> str:
    return f"deploy.cli.{verb}.command" if verb in _FOLDERS else f"deploy.cli.{verb}"


def _version() -> str:
    from importlib.metadata import version

    return version("forebay")


if __name__ == "__main__":
    main()

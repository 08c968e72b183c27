"""The `forebay` command: one file per verb, loaded when it is used.

Exit codes: 0 done, 1 failed, 2 wrongly used, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from deploy.cli.output import complain
from shared.errors import ForebayError, SettingsError

DONE = 0
FAILED = 1
WRONGLY_USED = 2
INTERRUPTED = 130

VERBS = ("up", "demo", "send", "check", "keys", "handoff", "dead", "worker", "ingress")


def build_app() -> App:
    """The command with all its verbs; none of them is imported before it is asked for."""
    app = App(
        name="forebay",
        help="A front for language models: admission, a durable ledger, queues, agent workers.",
        help_epilogue="Exit codes: 0 done, 1 failed, 2 wrongly used, 130 interrupted.",
        version=_version,
        help_format="plaintext",
        help_formatter="plain",
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for verb in VERBS:
        app.command(f"deploy.cli.{verb}:{verb}", name=verb)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Errors are one sentence each, on stderr."""
    try:
        code = build_app()(arguments, exit_on_error=False)
    except CycloptsError:
        return WRONGLY_USED
    except SettingsError as error:
        complain(*error.findings)
        return FAILED
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


def _version() -> str:
    from importlib.metadata import version

    return version("forebay")


if __name__ == "__main__":
    main()

"""`forebay send`: messages in, answers out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from deploy.cli.connection import door_and_key
from deploy.cli.options import AsJson
from deploy.cli.output import complain
from shared.errors import InvalidRequest
from shared.messages.lane import TIER_OF_LANE, Lane

if TYPE_CHECKING:
    from deploy.cli.send.order import BadLine, Order


def send(
    text: str | None = None,
    /,
    *,
    file: Path | None = None,
    stdin: bool = False,
    stream: bool = False,
    background: bool = False,
    model: str | None = None,
    user: str | None = None,
    lane: Lane | None = None,
    url: str | None = None,
    key: str | None = None,
    concurrency: Annotated[int, Parameter(validator=Number(gte=1, lte=10_000))] = 16,
    as_json: AsJson = False,
) -> int:
    """Send one message, or one for each line of a file, and print the answers.

    Where to: --url and --key, else FOREBAY_URL and FOREBAY_API_KEY, else the stack that
    `forebay up` runs in this folder. When the door asks to come later, it is obeyed.
    The exit code is 1 when any message was not accepted or failed.

    Parameters
    ----------
    text
        The message.
    file
        JSONL: every line a JSON string, or an object like the body of POST /v1/responses.
    stdin
        Read messages from standard input, one a line.
    stream
        Print the answer as it is written.
    background
        Do not wait for answers; print the ids to ask for later.
    model
        The model to ask for.
    user
        Your end user, for limits of their own.
    lane
        How soon it is wanted.
    url
        The door, such as http://127.0.0.1:8080.
    key
        The API key. The environment is the better place for it: `ps` shows this.
    concurrency
        Messages under way at once.
    """
    options: dict[str, Any] = {
        "model": model,
        "user": user,
        "service_tier": TIER_OF_LANE[lane] if lane else None,
        "background": background or None,
    }
    given = {name: value for name, value in options.items() if value is not None}
    orders = list(_orders(text, file, given, from_stdin=stdin))
    if stream and (len(orders) != 1 or background):
        raise InvalidRequest("--stream shows one answer at a time: send one message, and wait.")
    import asyncio

    address, secret = door_and_key(url, key)
    return asyncio.run(
        _send(
            orders, address, secret, stream=stream, concurrency=max(1, concurrency), as_json=as_json
        )
    )


def _orders(
    text: str | None, file: Path | None, options: dict[str, Any], *, from_stdin: bool
) -> Iterator[Order | BadLine]:
    from deploy.cli.send.order import order_of, read_jsonl, read_text

    if sum((text is not None, file is not None, from_stdin)) != 1:
        raise InvalidRequest("Give a message, or --file, or --stdin: exactly one of them.")
    if text is not None:
        yield order_of(text, options)
    elif file is not None:
        yield from read_jsonl(_lines(file), options)
    else:
        yield from read_text(sys.stdin, options)


def _lines(file: Path) -> Iterable[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{file} is not UTF-8 text. Convert it first.") from error


async def _send(
    orders: list[Order | BadLine],
    url: str,
    key: str,
    *,
    stream: bool,
    concurrency: int,
    as_json: bool,
) -> int:
    from deploy.cli.send.delivery import deliver_all, deliver_streamed
    from deploy.cli.send.door import DoorClient
    from deploy.cli.send.order import BadLine, Order

    bad = [order for order in orders if isinstance(order, BadLine)]
    good = [order for order in orders if isinstance(order, Order)]
    for line in bad:
        complain(f"Line {line.line} {line.problem}")
    async with DoorClient(url, key, on_wait=say_wait if len(good) == 1 else _say_nothing) as door:
        if stream and good:
            all_fine = await deliver_streamed(door, good[0], as_json=as_json)
        else:
            all_fine = await deliver_all(door, good, concurrency=concurrency, as_json=as_json)
    return 0 if all_fine and not bad else 1


def say_wait(why: str, seconds: float) -> None:
    """Whoever looks shall know why nothing happens."""
    complain(f"{why} Sending it again in {seconds:g} s.")


def _say_nothing(_why: str, _seconds: float) -> None:
    """Of many messages the last line says how often they waited."""

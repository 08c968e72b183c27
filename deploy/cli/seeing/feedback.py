"""`forebay feedback`: what people and judges say of answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from deploy.cli.options import AsJson, Limit
from deploy.cli.output import moment, one_line, say, say_json, say_rows, say_table

if TYPE_CHECKING:
    from shared.feedback.record import FeedbackRecord

feedback = App(name="feedback", help="What is said of answers: list, show and add verdicts.")

_Answer = Annotated[
    str,
    Parameter(help="Its id: resp_…, chatcmpl-…, msg_…, or batch_req_… of a line of a batch."),
]


@feedback.command(name="list")
def list_feedback(
    *,
    tenant: str,
    name: str | None = None,
    negative: bool = False,
    after: str | None = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """Show what was said of a tenant's answers, the newest first.

    Parameters
    ----------
    tenant
        Name of the tenant, as `forebay tenants list` shows it.
    name
        Show those of this name alone, such as helpful or wrong_stored_answer.
    negative
        Show only what speaks against an answer.
    after
        Go on behind this one, by its id: the last that you have.
    """
    from deploy.cli.seeing import feedback_ledger

    found = asyncio.run(
        feedback_ledger.page(tenant, name=name, negative=negative, after=after, limit=limit)
    )
    if as_json:
        say_json(found)
        return
    say_table(
        ("id", "given", "answer", "name", "by", "value", "score", "comment"),
        [(each.id, moment(each.at), each.response_id, *_cells(each)) for each in found],
        empty=f"Nobody has said anything of the answers of {tenant}.",
    )


@feedback.command
def show(answer: _Answer, /, *, as_json: AsJson = False) -> None:
    """Show all that was said of one answer, and what each source said before."""
    from deploy.cli.seeing import feedback_ledger

    found = asyncio.run(feedback_ledger.of_answer(answer))
    if as_json:
        say_json(found)
        return
    if not found:
        say("Nobody has said anything of it.")
        return
    rows = []
    for each in found:
        names = ("name", "by", "value", "score", "comment")
        before = [f"{old.original} until {moment(old.at)}" for old in each.earlier]
        facts = [
            (key, one_line(_text(told))) for key, told in zip(names, _cells(each), strict=True)
        ]
        rows.append([("id", each.id), *facts, ("given", moment(each.at))])
        rows[-1].append(("before", "; ".join(before)))
    say_rows(rows)


@feedback.command
def add(
    answer: _Answer,
    value: str,
    /,
    *,
    name: str = "helpful",
    source: str = "operator",
    comment: str | None = None,
    scale: str | None = None,
    url: str | None = None,
    key: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Say how an answer was; in place of what the same source said under the same name.

    Parameters
    ----------
    value
        yes or no, a number, or a label such as good or bad.
    name
        What it is about. Of wrong_stored_answer, hallucination and abuse, yes is bad.
    source
        Who says so.
    comment
        Why, in a sentence or two.
    scale
        From the worst number to the best, such as 1..5; 0..1 without.
    url
        Where the door is; FOREBAY_URL, or the stack of this folder, unless it is given.
    key
        The API key; FOREBAY_API_KEY, or that of the stack, unless it is given.
    """
    from deploy.cli.seeing import feedback_door

    body = feedback_door.body_of(value, name=name, source=source, comment=comment, scale=scale)
    kept = asyncio.run(feedback_door.give(answer, body, url=url, key=key))
    if as_json:
        say_json(kept)
    else:
        score = "no score" if kept["score"] is None else f"score {kept['score']:.2f}"
        say(f"Kept: {kept['name']} {_text(kept['value'])} ({score}) of {kept['response_id']}.")


def _cells(record: FeedbackRecord) -> tuple[object, ...]:
    value = _text(record.original)
    if record.scale is not None:
        value = f"{value} of {record.scale.min:g}..{record.scale.max:g}"
    score = None if record.value is None else f"{record.value:.2f}"
    return record.name, record.source, value, score, record.comment


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)

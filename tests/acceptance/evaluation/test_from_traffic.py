"""Sets that are cut out of what was really asked."""

from __future__ import annotations

import httpx2

from deploy.scripted_provider.behaviour import Kind
from shared.evaluation.golden.golden_set import read_golden_set
from tests.acceptance.command import RunningStack, Typed, printed
from tests.acceptance.evaluation.typing_in import asked, key_of, ran
from tests.integration.workers.provider_thread import ProviderThread


def test_a_set_is_cut_out_of_what_was_asked_without_what_nobody_may_read(
    typed: Typed, provider: ProviderThread, stack: RunningStack
) -> None:
    ids = {
        name: asked(stack, **body)
        for name, body in {
            "card": {"input": "My card 4111 1111 1111 1111 fails. Write to ada@example.com."},
            "unstored": {"input": "Do not keep this.", "store": False},
            "deleted": {"input": "Forget me."},
            "good": {"input": "All is well."},
        }.items()
    }
    ids["later"] = asked(stack, input="Still?", previous_response_id=ids["card"])
    for name in ("card", "later", "deleted", "unstored"):
        assert typed("feedback", "add", ids[name], "no").returncode == 0
    assert typed("feedback", "add", ids["good"], "yes").returncode == 0
    tenant = printed(typed, "tenants", "list")[0]["name"]
    address = f"{stack.ready['url']}/v1/responses/{ids['deleted']}"
    assert httpx2.delete(address, headers=key_of(stack), timeout=60).status_code == 200

    words = ("eval", "from-traffic", "cut.jsonl", "--tenant", tenant, "--where", "feedback=bad")
    assert "one of them" in typed(*words).stderr
    told = printed(typed, *words, "--redact")
    assert told["cases"] == 2
    # What was not to be stored is gone as soon as somebody sweeps.
    assert sum(told["left_out"].values()) == 2
    assert "there already" in typed(*words, "--redact").stderr
    golden, faults = read_golden_set("cut.jsonl")
    assert not faults
    later, card = golden.cases
    assert card.input == "My card [removed] fails. Write to [removed]."
    assert [each["role"] for each in later.input] == ["user", "assistant", "user"]
    text = (stack.folder / "cut.jsonl").read_text()
    assert not any(each in text for each in ("4111", "ada@", "Forget", "Do not keep", "All is"))
    assert (stack.folder / "cut.jsonl").stat().st_mode & 0o077 == 0
    provider.behave(Kind.ANSWER, contains="question", text='{"reason":"So.","passes":true}')
    run = ran(typed, "cut.jsonl", "--judge", "scripted")
    assert {each["passed"] for each in run["results"]} == {True}
    (recorded,) = (
        each for each in printed(typed, "audit", "list") if each["act"] == "eval.from-traffic"
    )
    assert recorded["target"] == tenant

"""A message that carries several tasks: each runs once, wherever there is a slot for it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from uuid import uuid4

from kombu import Connection
from redis import Redis

from tests.integration.worker_pool.conftest import StartWorker
from tests.integration.worker_pool.worker_process import MODULE


def send_bundle(url: str, task: str, count: int, **kwargs: object) -> list[str]:
    """One message with so many tasks of one kind; their ids."""
    first, *others = ids = [uuid4().hex for _ in range(count)]
    bundle = [[identifier, kwargs, {}] for identifier in others]
    options = {"callbacks": None, "chord": None, "bundle": bundle}
    headers = {"task": f"{MODULE}.{task}", "id": first, "root_id": first, "lang": "py"}
    with Connection(url) as connection:
        connection.Producer().publish(
            json.dumps([[], kwargs, options], separators=(",", ":")).encode(),
            routing_key="pool",
            headers=headers,
            content_type="application/json",
            content_encoding="utf-8",
            retry=False,
        )
    return ids


def abandon(url: str) -> None:
    """RabbitMQ notices that a worker died; on Redis what it held is due again an hour later."""
    if url.startswith("redis"):
        with Redis.from_url(url) as redis:
            redis.zadd("unacked_index", dict.fromkeys(redis.zrange("unacked_index", 0, -1), 0))


def bundle_of_a_dead_worker(url: str, start_worker: StartWorker, gate: Path) -> list[str]:
    """The ids of three tasks of a bundle, whose worker was killed while it ran them."""
    dying = start_worker(url, concurrency=4, POOL_BUNDLES="1")
    ids = send_bundle(url, "held", 3, gate=str(gate))
    dying.wait_for_facts("began", 3)
    dying.signal(signal.SIGKILL)
    dying.wait()
    return ids


def test_each_task_of_a_bundle_is_a_task_of_its_own(
    broker_url: str, start_worker: StartWorker, gate: Path
) -> None:
    worker = start_worker(broker_url, concurrency=4, POOL_BUNDLES="1")
    ids = send_bundle(broker_url, "held", 4, gate=str(gate))
    assert sorted(worker.wait_for_facts("began", 4)) == sorted(ids)
    inspect = worker.producer.control.inspect(timeout=60, limit=1)
    [active] = (inspect.active() or {}).values()
    assert sorted(task["id"] for task in active) == sorted(ids)
    worker.producer.control.revoke(ids[1], terminate=True)
    assert worker.wait_for_facts("cancelled") == [ids[1]]
    gate.touch()
    assert sorted(worker.wait_for_facts("ended", 3)) == sorted({*ids} - {ids[1]})
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    after = start_worker(broker_url, POOL_BUNDLES="1")
    after.send("nap", 0)
    after.wait_for_facts("ended", 4)
    assert len(after.facts("began")) == 5, "the bundle was acknowledged"


def test_what_finds_no_slot_goes_to_a_worker_that_has_one(
    broker_url: str, start_worker: StartWorker, gate: Path
) -> None:
    busy = start_worker(broker_url, concurrency=2, POOL_BUNDLES="1")
    busy.send("held", str(gate))
    busy.wait_for_facts("began")
    ids = send_bundle(broker_url, "held", 4, gate=str(gate))
    start_worker(broker_url, concurrency=3, name="idle", POOL_BUNDLES="1")
    began = busy.wait_for_facts("began", 5)
    assert {*began} > {*ids}, "all of them at once, of which one worker could run but one"
    busy.wait_until(lambda: "3" in busy.facts("alone"), "three to be sent alone")
    gate.touch()
    assert len(busy.wait_for_facts("ended", 5)) == 5
    assert len(busy.facts("began")) == 5, "each began once"


def test_where_no_other_worker_reads_the_queue_they_run_in_their_order(
    amqp_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(amqp_url, concurrency=1, POOL_BUNDLES="1")
    ids = send_bundle(amqp_url, "nap", 4, seconds=0.1)
    assert worker.wait_for_facts("ended", 4) == ids
    assert worker.facts("alone") == []


def test_a_bundle_whose_worker_died_comes_again_one_by_one(
    broker_url: str, start_worker: StartWorker, gate: Path
) -> None:
    ids = bundle_of_a_dead_worker(broker_url, start_worker, gate)
    abandon(broker_url)
    gate.touch()
    after = start_worker(broker_url, concurrency=1, POOL_BUNDLES="1")
    assert sorted(after.wait_for_facts("ended", 3)) == sorted(ids)
    assert after.wait_for_facts("alone") == ["3"]


def test_what_cannot_be_published_again_runs_where_it_came(
    amqp_url: str, start_worker: StartWorker, gate: Path
) -> None:
    ids = bundle_of_a_dead_worker(amqp_url, start_worker, gate)
    gate.touch()
    after = start_worker(amqp_url, concurrency=1, POOL_BUNDLES="refused")
    assert sorted(after.wait_for_facts("ended", 3, seconds=60)) == sorted(ids)
    assert after.facts("refused") == ["3"]
    after.signal(signal.SIGTERM)
    assert after.wait() == 0
    with Connection(amqp_url) as connection, connection.channel() as channel:
        assert channel.basic_get("pool") is None, "the bundle was acknowledged"


def test_an_application_that_cannot_publish_runs_the_first_as_a_plain_worker_does(
    broker_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(broker_url)
    first, _ = send_bundle(broker_url, "nap", 2, seconds=0)
    last = worker.send("nap", 0)
    assert worker.wait_for_facts("ended", 2) == [first, last]


def test_a_bundle_that_asks_for_what_no_worker_follows_is_refused_whole(
    broker_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(broker_url, POOL_BUNDLES="1", POOL_HOOK="1")
    body = json.dumps([[], {}, {"chord": {"a": 1}, "bundle": [["x", {}, {}]]}])
    headers = {"task": f"{MODULE}.empty", "id": "chorded", "lang": "py"}
    with Connection(broker_url) as connection:
        connection.Producer().publish(
            body.replace(" ", "").encode(),
            routing_key="pool",
            headers=headers,
            content_type="application/json",
            content_encoding="utf-8",
            retry=False,
        )
    assert "chord" in worker.wait_for_facts("buried")[0]

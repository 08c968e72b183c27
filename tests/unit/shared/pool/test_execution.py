"""What becomes of a job on the loop, without a broker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from billiard.einfo import ExceptionInfo
from celery import Celery, Task, current_task, signals
from celery.exceptions import Ignore, Reject, Retry, SoftTimeLimitExceeded, Terminated

from shared.pool.errors import PoolRefused, RetryRefused
from shared.pool.jobs.execution import JobExecution
from shared.pool.jobs.job import Interruption, Job, JobEvent, JobReport, interrupt


def plain() -> None:
    """Do nothing, in a thread."""


class Bench:
    """An application of one task and what the pool would hear of it."""

    def __init__(self, function: Callable[..., Awaitable[object]]) -> None:
        self.app = Celery("unit", set_as_current=False)
        self.task = self.app.task(bind=True, name="unit.task", shared=False)(function)
        self.app.finalize()
        self.reports: list[JobReport] = []
        self.execution = JobExecution(self.app, hostname="unit", report=self.reports.append)

    def job(self, *args: object, soft: float | None = None, hard: float | None = None) -> Job:
        number = Job.next_number()
        return Job(
            "unit.task",
            f"id-{number}",
            {"id": f"id-{number}", "task": "unit.task", "args": args, "kwargs": {}},
            args,
            {},
            request=None,  # type: ignore[arg-type]
            soft_limit_seconds=soft,
            hard_limit_seconds=hard,
            number=number,
        )

    def start(self, job: Job) -> asyncio.Task[None]:
        job.running = asyncio.create_task(self.execution.execute(job))
        return job.running

    async def run(self, job: Job) -> tuple[int, object]:
        await self.start(job)
        (ended,) = [report for report in self.reports if report.event is JobEvent.ENDED]
        assert ended.outcome is not None
        failed, value, _ = ended.outcome
        if isinstance(value, ExceptionInfo):
            return failed, getattr(value.exception, "exc", value.exception)
        return failed, value


async def test_success_gives_the_printable_result_and_the_signals() -> None:
    async def double(self: object, number: int) -> int:
        return number * 2

    bench = Bench(double)
    heard: list[str] = []

    def hear(signal: object, **_: object) -> None:
        heard.append(signal.name)  # type: ignore[attr-defined]

    listened = (signals.task_prerun, signals.task_success, signals.task_postrun)
    for each in listened:
        each.connect(hear, sender=bench.task, weak=False)
    assert await bench.run(bench.job(21)) == (0, "42")
    assert heard == ["task_prerun", "task_success", "task_postrun"]


async def test_retry_fails_the_task_and_says_what_to_do() -> None:
    async def again(self: Task[..., None]) -> None:
        raise self.retry(countdown=1)

    bench = Bench(again)
    failed, exception = await bench.run(bench.job())
    assert failed == 1
    assert isinstance(exception, RetryRefused)
    assert "unit.task called retry. Try again inside the task" in str(exception)


async def test_a_function_that_gives_a_coroutine_is_run_to_its_end() -> None:
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return number * 2

    def undisguised(_: object, number: int) -> Awaitable[int]:
        return double(number)  # what a decorator makes that does not say whom it wraps

    bench = Bench(undisguised)
    assert await bench.run(bench.job(21)) == (0, "42")


@pytest.mark.parametrize("hook", ["__call__", "on_failure", "after_return"])
def test_a_task_with_a_hook_is_refused(hook: str) -> None:
    app = Celery("unit", set_as_current=False)
    hooked = type("Hooked", (Task,), {hook: lambda *_: None})
    app.task(base=hooked, name="unit.hooked", shared=False)(plain)
    with pytest.raises(PoolRefused, match=f"never calls {hook}, which the task unit.hooked"):
        JobExecution(app, hostname="unit", report=lambda _: None)


def test_a_task_that_celery_is_to_repeat_is_refused() -> None:
    app = Celery("unit", set_as_current=False)
    app.task(name="unit.again", shared=False, autoretry_for=(OSError,))(plain)
    with pytest.raises(PoolRefused, match=r"unit\.again has autoretry_for"):
        JobExecution(app, hostname="unit", report=lambda _: None)


@pytest.mark.parametrize("error", [ValueError("bad"), Ignore(), Reject("no"), LookupError()])
async def test_an_error_is_the_outcome(error: Exception) -> None:
    async def fall(self: object) -> None:
        raise error

    bench = Bench(fall)
    failed, exception = await bench.run(bench.job())
    assert failed == 1
    assert type(exception) is type(error)


@pytest.mark.parametrize(
    "error", [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError(), Retry()]
)
async def test_an_exit_becomes_a_failure_of_the_task(error: BaseException) -> None:
    async def fall(self: object) -> None:
        raise error

    bench = Bench(fall)
    failed, exception = await bench.run(bench.job())
    assert failed == 1
    assert type(error).__name__ in str(exception)


async def test_every_coroutine_has_its_own_request() -> None:
    seen: list[tuple[str, str]] = []

    async def look(self: object) -> None:
        mine = current_task.request.id
        await asyncio.sleep(0)
        child = await asyncio.create_task(read())
        threaded = await asyncio.to_thread(lambda: current_task.request.id)
        assert mine == current_task.request.id == child == threaded
        seen.append((mine, child))

    async def read() -> str:
        await asyncio.sleep(0)
        return str(current_task.request.id)

    bench = Bench(look)
    await asyncio.gather(*(bench.start(bench.job()) for _ in range(20)))
    assert len(set(seen)) == 20
    assert bench.task.request_stack.top is None


async def test_the_soft_limit_can_be_caught_and_the_work_goes_on() -> None:
    async def patient(self: object) -> str:
        try:
            await asyncio.sleep(30)
        except SoftTimeLimitExceeded:
            async with asyncio.timeout(60):
                await asyncio.sleep(0)
        return "saved"

    bench = Bench(patient)
    assert await bench.run(bench.job(soft=0.01)) == (0, "'saved'")
    assert [report.event for report in bench.reports] == [JobEvent.SOFT_LIMIT, JobEvent.ENDED]


async def test_the_hard_limit_reports_before_the_end() -> None:
    async def sleeper(self: object) -> None:
        await asyncio.sleep(30)

    bench = Bench(sleeper)
    failed, exception = await bench.run(bench.job(hard=0.01))
    assert failed == 1
    assert isinstance(exception, Terminated)
    assert [report.event for report in bench.reports] == [JobEvent.HARD_LIMIT, JobEvent.ENDED]


async def test_a_terminated_coroutine_that_returns_anyway_is_no_success() -> None:
    entered = asyncio.Event()

    async def stubborn(self: object) -> str:
        entered.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            return "done after all"
        return "unreachable"

    bench = Bench(stubborn)
    job = bench.job()
    running = bench.start(job)
    await entered.wait()
    interrupt(job, Interruption.TERMINATED)
    await running
    assert bench.reports[-1].outcome is not None
    assert bench.reports[-1].outcome[0] == 1


async def test_an_exception_shared_by_two_jobs_ends_neither_of_them() -> None:
    shared = asyncio.get_running_loop().create_future()
    survived = asyncio.Event()
    fell = asyncio.Event()

    async def share(self: object, survives: bool) -> None:
        try:
            await shared
        except ValueError:
            if not survives:
                raise
            await fell.wait()
            survived.set()

    bench = Bench(share)
    survivor, victim = bench.start(bench.job(True)), bench.start(bench.job(False))
    await asyncio.sleep(0)
    shared.set_exception(ValueError("for both"))
    await victim
    fell.set()
    await survivor
    assert survived.is_set()


async def test_a_plain_function_runs_in_a_thread() -> None:
    def plain(self: object) -> bool:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return True
        return False

    bench = Bench(plain)  # type: ignore[arg-type]
    assert await bench.run(bench.job()) == (0, "True")

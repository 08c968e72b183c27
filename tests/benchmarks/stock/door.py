"""The stock door: `uvicorn tests.benchmarks.stock.door:app`, one endpoint as guides have it."""

import os
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from pydantic import BaseModel

from tests.benchmarks.stock.tasks import answer

app = FastAPI()
limiter = SlidingWindowCounterRateLimiter(RedisStorage(os.environ["STOCK_REDIS"]))
per_minute = RateLimitItemPerMinute(1_000_000_000)


class Message(BaseModel):
    """A question for the model."""

    model: str
    input: str
    background: bool = False


class Accepted(BaseModel):
    """Where to ask for the answer."""

    id: str
    status: str


@app.post("/v1/responses", status_code=202)
def create(message: Message, authorization: Annotated[str, Header()]) -> Accepted:
    if authorization != f"Bearer {os.environ['STOCK_KEY']}":
        raise HTTPException(401, "unknown key")
    if not limiter.hit(per_minute, "tenant"):
        raise HTTPException(429, "too many requests")
    task = answer.delay(message.model_dump())
    return Accepted(id=task.id, status="queued")

"""A Celery worker pool that runs `async def` tasks on one asyncio event loop.

Celery's consumer and its hub stay in the main thread and own the broker connection; the event loop
runs in a side thread. Jobs go one way and what becomes of them comes back the other, both in
batches (`mailbox`), so that the thread that owns the connection writes every acknowledgement.
"""

"""A Celery worker pool that runs `async def` tasks on one asyncio event loop.

The loop runs in a side thread, takes the messages of its tasks and settles them, over a connection
of its own. Celery's consumer and its hub stay in the main thread, for remote control and events;
what one thread asks of the other travels in batches (`mailbox`, `loop_thread`).
"""

"""Reading a queue without Celery: a kombu consumer in a thread of its own."""

"""The queue: topology, the Celery messages on it, and everybody who writes to it or reads from it."""

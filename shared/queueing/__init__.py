"""The queue: its topology, the Celery messages on it, its writers and its readers."""

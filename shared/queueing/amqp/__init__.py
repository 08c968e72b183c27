"""AMQP 0-9-1 for publishing on an event loop: frames, one connection, and its confirms."""

"""Alerts in a worker: the round that looks, and the messages that go out."""

"""Trouble: providers that fail, a breaker, a person, a worker that dies."""

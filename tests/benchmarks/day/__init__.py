"""A day of messages whose truth is known, and what caching and routing make of it."""

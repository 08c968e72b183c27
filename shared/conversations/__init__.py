"""Conversations: what was said before, items by their ids, and what callers keep in them."""

"""Summaries of long conversations, as a turn makes and pays for them."""

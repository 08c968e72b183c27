"""Spans of a text: where card numbers stand, and how a stream is kept from sending them."""

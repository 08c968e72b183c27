"""Stored answers and flights: an equal question is answered from the store, or once for many."""

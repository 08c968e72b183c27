"""Bringing dead letters back onto the road."""

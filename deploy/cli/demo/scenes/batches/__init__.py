"""Batches: what may wait costs less, and makes nobody else wait."""

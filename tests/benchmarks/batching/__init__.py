"""Whole batches, over HTTP."""

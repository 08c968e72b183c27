"""Hybrid search in the embedded engine: ours beside the plain way on the same engine."""

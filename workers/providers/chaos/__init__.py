"""Faults on purpose: what stands around a provider to make some of its calls go wrong."""

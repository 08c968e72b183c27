"""Ours beside what it replaces, in one run: `python -m tests.benchmarks`."""

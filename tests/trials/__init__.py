"""Tests on a larger scale, run once for a change by `make trials` and not by `make test`."""

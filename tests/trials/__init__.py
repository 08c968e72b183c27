"""Tests of the suite on a larger scale, run once per change by `make trials` and not in `make test`."""

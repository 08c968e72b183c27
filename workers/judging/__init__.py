"""Answers that were given, judged under a budget: chosen, asked about, and kept as feedback."""

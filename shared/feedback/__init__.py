"""Feedback: what people and judges said of answers, kept beside the ledger."""

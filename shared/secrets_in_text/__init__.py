"""Secrets and numbers that must not be told: one reading for guardrail, cache rule and logs."""

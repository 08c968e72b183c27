"""Alerts in a ledger, and at receivers."""

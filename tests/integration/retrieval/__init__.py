"""Searching what is in the ledger and in the stores."""

"""The ledger of the index, on either database."""

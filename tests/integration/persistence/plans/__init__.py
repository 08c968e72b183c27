"""What the ledger's statements read when the ledger is full."""

"""Who releases held messages: the ledger's and Redis' side of the scheduler."""

"""From an arrival, checked, to the row that the ledger keeps: the same for every door."""

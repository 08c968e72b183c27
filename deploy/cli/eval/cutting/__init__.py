"""Golden sets out of the ledger: what was really asked, without what nobody else may read."""

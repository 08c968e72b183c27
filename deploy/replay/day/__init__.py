"""What a day was: read out of the ledger, generated, or multiplied."""

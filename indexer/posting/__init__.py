"""Documents that producers put straight onto the `index` queue, on their way into the ledger."""

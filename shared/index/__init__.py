"""The ledger of the index: collections, their documents and chunks, what was embedded, and jobs."""

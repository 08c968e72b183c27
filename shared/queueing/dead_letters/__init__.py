"""Dead letters on their way from any queue, over the queue `dead`, into the ledger."""

"""One prompt on its way along the chain: tries, waits, and what the caller has seen so far."""

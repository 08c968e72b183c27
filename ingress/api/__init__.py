"""One file per surface, and what they share: the exchange, its errors, its border."""

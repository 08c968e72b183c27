"""Circuit breakers: one rule, kept by one process or by the whole fleet in Redis."""

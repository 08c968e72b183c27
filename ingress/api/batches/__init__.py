"""/v1/batches: many requests in one file, answered by a deadline."""

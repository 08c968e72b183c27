"""The event loop in a side thread, and what happens to a job on it."""

"""The second door: messages that producers publish straight onto the `intake` queue."""

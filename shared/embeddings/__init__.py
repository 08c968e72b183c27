"""Text to vectors: the protocol and its encoders."""

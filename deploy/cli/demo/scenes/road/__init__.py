"""The road of a message: every way in, every way to wait, and no message made twice."""

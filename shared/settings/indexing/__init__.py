"""The index: where it lies, which encoders read for it, and how it is searched."""

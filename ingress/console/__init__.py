"""The console: what people look at and act in, at /console."""

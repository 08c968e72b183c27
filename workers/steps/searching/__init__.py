"""Passages for an answer: looked up before the model is called, quoted to it, cited by it."""

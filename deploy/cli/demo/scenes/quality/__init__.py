"""What a model is given, and what of its answer may not leave."""

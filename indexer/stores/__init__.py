"""What the indexer does in the stores: it writes, takes out, and moves to other models."""

"""The search that ours is held against: written from its description alone, and exact."""

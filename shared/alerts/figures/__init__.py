"""What rules look at: each figure reads what it needs, once for all rules of a round."""

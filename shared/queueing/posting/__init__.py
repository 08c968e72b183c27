"""What the producer is made of."""

"""What answers cost: prices, what was spent, and what may still be."""

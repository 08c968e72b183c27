"""What a turn's end writes: one transaction, made of named parts."""

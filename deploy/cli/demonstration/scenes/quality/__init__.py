"""What may not leave: false facts and forbidden spans."""

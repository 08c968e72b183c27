"""What lets a worker outlive bad messages and lost connections."""

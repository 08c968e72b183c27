"""What the model router would do, and what that would cost."""

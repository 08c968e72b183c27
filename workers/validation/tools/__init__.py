"""Tools: what is asked of them, and what they gave back."""

"""What a response tells of its turn beside the answer."""

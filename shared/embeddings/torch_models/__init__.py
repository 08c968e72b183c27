"""Models of torch, from the hub or a folder. Nothing of it is imported before one is loaded."""

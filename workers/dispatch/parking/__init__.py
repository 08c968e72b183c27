"""Messages that have the time to wait until a model that would answer them is back."""

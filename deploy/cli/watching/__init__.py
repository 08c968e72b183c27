"""What operators look at while it runs."""

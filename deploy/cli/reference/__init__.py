"""Pages of the documentation that the code itself writes."""

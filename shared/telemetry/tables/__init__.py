"""Parts of the table of all metrics."""

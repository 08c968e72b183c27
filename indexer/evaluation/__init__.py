"""What the search is worth on questions whose answers are known."""

"""HTTP itself: an exchange, its errors, its border."""

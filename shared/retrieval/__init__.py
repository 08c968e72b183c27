"""Finding passages: which legs are asked, what they found put together, and what may be shown."""

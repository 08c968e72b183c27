"""`forebay dead`: dead letters, and their ways back onto the road."""

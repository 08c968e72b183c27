"""Commands of those who watch over Forebay: how it is, what it did, and what it would do."""

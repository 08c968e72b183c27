"""`forebay collections` and its parts."""

"""`forebay index` and its parts."""

"""Commands that become one process of Forebay."""

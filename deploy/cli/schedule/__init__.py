"""`forebay schedule`: the command, the jobs it may begin, and what it asks for."""

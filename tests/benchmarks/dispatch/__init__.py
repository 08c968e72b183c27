"""Who is released next: ours and the usual ways, in virtual time."""

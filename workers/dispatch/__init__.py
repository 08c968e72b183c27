"""Fair dispatch: which held message is released next.

`scheduler`, `giving_way` and `standing` are pure: time is an argument, nothing waits or is read.
"""

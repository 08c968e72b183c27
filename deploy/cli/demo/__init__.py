"""`forebay demo`: a stack of its own, a scripted provider, and scenes played one by one."""

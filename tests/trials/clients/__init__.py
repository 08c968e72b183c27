"""The clients of others, each in an environment of its own, before a whole stack of ours."""

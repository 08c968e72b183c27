"""Documents: offered and posted, claimed, indexed under a fence, read, and taken away again."""

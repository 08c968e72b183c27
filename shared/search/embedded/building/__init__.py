"""The graph of a generation, built beside the shard that serves and put in its place."""

"""From a file and the environment to the tree, with one finding for each fault."""

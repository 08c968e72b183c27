"""The steps of a turn, one file each, named as in the pipeline."""

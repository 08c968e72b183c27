"""Several places and keys of one model: which of them is asked, and what each has to do."""

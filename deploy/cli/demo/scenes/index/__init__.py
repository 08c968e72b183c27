"""The index: what is in it, what is found, what is answered from it, what is gone."""

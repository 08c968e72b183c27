"""Where documents come from: what is read of a folder or a checkout, and what is left out."""

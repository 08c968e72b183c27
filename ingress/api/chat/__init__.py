"""Chat completions: another shape of the same message and the same reply."""

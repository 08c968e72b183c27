"""Jobs: what asks for a scan of a source, how far it is, and what it left out."""

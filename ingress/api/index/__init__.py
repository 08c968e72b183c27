"""The index over HTTP: collections, documents, jobs and searches."""

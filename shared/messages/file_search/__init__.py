"""The tool `file_search`: how it is asked for, and what is told of a search and its findings."""

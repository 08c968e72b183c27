"""`forebay batch`: files of requests to a door over HTTP, and their results."""

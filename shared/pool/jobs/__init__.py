"""From a message to the end of its task; all of it on the event loop."""

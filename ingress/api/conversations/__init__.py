"""Items as callers read them: of a response's input, and of conversations."""

"""The providers of a turn: whoever can answer a prompt, and the chain that walks them in order."""

"""Anthropic's Messages API: the same messages and the same road, in its shape."""

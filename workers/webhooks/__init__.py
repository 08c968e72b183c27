"""Sending webhooks: to addresses that are checked, on a round that one worker does."""

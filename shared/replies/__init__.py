"""What a message answers, on its way from a worker to whoever waits: streams and wake-ups."""

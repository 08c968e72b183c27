"""What the running system tells: metrics, traces and logs, none of them with a prompt in it."""

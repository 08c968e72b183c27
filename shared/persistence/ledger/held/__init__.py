"""What the dispatcher reads and writes: messages that it holds, flows' counters, busy slots."""

"""From messages of alerts to deliveries at each sink, and to being forgotten."""

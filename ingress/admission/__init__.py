"""Who may come in: limits, risk and room, decided in one round trip."""

"""Money: what is not spent twice, and not beyond what a tenant may spend."""

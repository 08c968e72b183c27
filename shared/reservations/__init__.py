"""What tenants hold in Redis: slots, rates, money and risk, in one layout of bytes."""

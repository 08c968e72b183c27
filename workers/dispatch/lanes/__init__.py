"""How lanes stand to each other: order, ceilings, waste, urgency."""

"""What a text claims: its amounts, its dates, its sentences."""

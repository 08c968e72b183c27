"""The wire contracts: the only thing the rooms must agree on."""

"""The ledger: accept, claim, settle, and the sweeps between them."""

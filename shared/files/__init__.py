"""Large content: kept once per tenant by its digest, named by files, forgotten with the last."""

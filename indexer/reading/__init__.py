"""Documents read and cut in processes of their own: what ends a parser ends nothing else."""

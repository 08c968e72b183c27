"""What a message says about answers that were stored before."""

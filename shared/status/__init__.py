"""In what state the whole system is, and why: for people, load balancers of people and scripts."""

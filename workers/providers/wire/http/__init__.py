"""HTTP as a client that asks few servers very often needs it: POSTs over connections kept open."""

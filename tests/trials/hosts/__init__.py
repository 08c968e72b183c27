"""Door and workers on hosts of their own: network namespaces of this machine."""

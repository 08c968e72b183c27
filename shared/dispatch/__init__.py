"""Fair dispatch as door and worker know it: credits of the lanes, and how the flows stand."""

"""What does not grow with more processes, or costs each waiting job something, measured: the plan's bounds."""

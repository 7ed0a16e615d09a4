"""How a site of many machines is described: each description held against the code, and run."""

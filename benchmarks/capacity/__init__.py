"""How many of each process, how much database and memory a site of a given size needs, checked by a simulation."""

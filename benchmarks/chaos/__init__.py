"""What holds when everything fails at once: jobs on the whole stack while its parts are killed, cut off, filled up."""

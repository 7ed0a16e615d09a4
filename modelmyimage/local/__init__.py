"""The whole site on one machine: what ``make run`` starts, and how it is kept together and ended."""

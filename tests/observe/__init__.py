"""How a site is watched: ids, figures, traces, probes, reports of errors, and the rules that alert."""

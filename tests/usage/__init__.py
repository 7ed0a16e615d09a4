"""Use of the API: recording, sums, pages."""

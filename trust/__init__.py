"""What the public is told: live figures, and the documents by which we are held."""

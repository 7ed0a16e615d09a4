"""Commands about our documents."""

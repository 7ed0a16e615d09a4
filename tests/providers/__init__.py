"""What every provider must keep."""

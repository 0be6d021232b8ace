"""Public benchmark data: where it comes from, and the store in which it stays."""

"""paretune: what a fine-tuned language model gains, what it forgets, and where to stop."""

__version__ = "0.1.0"

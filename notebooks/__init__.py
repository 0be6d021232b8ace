"""Notebooks for Google Colab, and the script that makes them."""

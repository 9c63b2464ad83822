"""Exact nearest neighbours in an embedding."""

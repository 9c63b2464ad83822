"""Snapshots: packets of a time bin in, one host-port graph with named features out."""

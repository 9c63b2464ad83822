"""Methods without a graph network, to hold the networks against."""

"""Labels: who an address is said to be, by which source, since when, on what evidence."""

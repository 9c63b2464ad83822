"""Time, memory and disk a run will take, told before it starts."""

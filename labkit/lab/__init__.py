"""The kernel's side of the lab: which cloud a notebook uses, and everything that it needs of it."""

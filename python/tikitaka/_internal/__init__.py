"""What all rooms share and no user needs."""

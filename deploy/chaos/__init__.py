"""A home with four devices and a cloud, and faults drawn at random: whether every reading is there once, and right."""

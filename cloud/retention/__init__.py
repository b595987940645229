"""What is kept only for so long: what nothing refers to any more, and what nobody looks at after a year."""

"""How somebody reads the console: in which units figures are shown to them."""

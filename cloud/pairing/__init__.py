"""Pairing a Bluetooth device in a patient's home from the console: what to press, the digits it shows, who it is."""

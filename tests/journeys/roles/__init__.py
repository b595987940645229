"""What each role does on an ordinary day, in each language and on both screens; they take the manual's pictures."""

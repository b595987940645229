"""From a message to stored readings and cases, in one transaction; then the ack; then the receipt."""

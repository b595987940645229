"""What all pages share: templates, texts, headers, static files and the edge of a request."""

"""The manual: pictures from the running product, Markdown in three languages, one folder that the console serves."""

"""A comparison as a document, and that as text, JSON, Markdown and HTML."""

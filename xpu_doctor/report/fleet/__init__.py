"""What a fleet comes to, as a document and in each of its forms."""

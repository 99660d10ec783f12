"""Telling people's personas from their job titles: what a title is like, by embeddings. Nothing here asks a language model."""

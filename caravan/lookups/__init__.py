"""What is looked up in the stores for summaries and for ``ask``: facts, each with the record that says it."""

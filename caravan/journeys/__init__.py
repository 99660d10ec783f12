"""The journey language, pure: documents, conditions, time, validation, plans, the core."""

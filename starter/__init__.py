"""The CLI: one file a verb. It asks and tells; the work is done by the library and the workers."""

"""Asking outside services by the External Actions contract: whom, how, and what an answer says."""

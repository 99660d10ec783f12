"""Evaluation: fixed cases for each feature that asks a model, and how good its answers are.

A feature has a file of cases (``cases/FEATURE.yaml``) and a module with one scoring function, and stands in
``registry``. ``python -m evaluations`` runs them against the model that is set; the tests run the same against
scripted models, and over the wire against the small one of this machine.
"""

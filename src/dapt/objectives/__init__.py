"""Objectives: named loss terms that declare which features they need."""

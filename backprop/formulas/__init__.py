"""Formulas: is this printed equation right, and if not, which term differs?"""

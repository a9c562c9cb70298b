"""The nearest right form of a wrong formula and the term that differs: small changes, each judged again."""

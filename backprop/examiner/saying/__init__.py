"""What is said: sentences with the predicates they rest on, remarks, the report."""

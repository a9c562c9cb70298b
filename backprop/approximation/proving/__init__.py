"""Proofs about approximations, in ball arithmetic."""

"""Text in, tree out: what a printed formula says, before anybody asks what it means."""

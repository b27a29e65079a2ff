"""Runs: training that is saved as it goes, drawn, and asked about pictures of one's own."""

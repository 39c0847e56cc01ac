"""The judges that score files are fitted here, and judged themselves."""
